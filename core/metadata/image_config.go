package metadata

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core/ordmap"
)

// ConfigResource names what a configuration belongs to.
type ConfigResource struct {
	Type ResourceType
	Name string // of ResourceBroker: the node id in decimal, or empty for the cluster's default
}

// Compare orders resources by type, then by name.
func (r ConfigResource) Compare(other ConfigResource) int {
	return cmp.Or(cmp.Compare(r.Type, other.Type), cmp.Compare(r.Name, other.Name))
}

// Config is the value of one key of one resource, and whether it is set. Defaults are not the image's business.
func (m *Image) Config(res ConfigResource, key string) (string, bool) {
	if c := m.configs.At(res); c != nil {
		return c.Get(key)
	}
	return "", false
}

// Configs iterates over the keys that are set for a resource, in order.
func (m *Image) Configs(res ConfigResource) iter.Seq2[string, string] {
	if c := m.configs.At(res); c != nil {
		return c.All()
	}
	return func(func(string, string) bool) {}
}

// ConfigResources are the resources that have any key set, in order.
func (m *Image) ConfigResources() []ConfigResource { return m.configs.Keys() }

// setConfig sets or removes one key. A resource without keys is no resource: it would make two images differ that
// answer alike.
func (m *Image) setConfig(r *ConfigRecord, ch changes) {
	res := ConfigResource{r.ResourceType, r.ResourceName}
	c := m.configs.At(res)
	switch {
	case r.Value != nil && c == nil:
		c = ordmap.Ordered[string, string]()
		m.configs.Set(res, c)
		fallthrough
	case r.Value != nil:
		c.Set(r.Name, *r.Value)
	case c != nil: // Kafka's controller may remove a key that is not set
		c.Delete(r.Name)
		if c.Len() == 0 {
			m.configs.Delete(res)
		}
	}
	ch.add(Change{Kind: ConfigChanged, Resource: res, Key: r.Name})
}

// FeatureLevel is the finalized level of a feature, 0 when there is none. kraft.version is not here: it lives in the
// quorum's control records (KIP-853).
func (m *Image) FeatureLevel(name string) FeatureLevel { return m.features.At(name) }

// MetadataVersion is the finalized level of metadata.version, 0 before the log has set it.
func (m *Image) MetadataVersion() FeatureLevel { return m.features.At(MetadataVersionFeature) }

// Features iterates over the finalized features and their levels by name.
func (m *Image) Features() iter.Seq2[string, FeatureLevel] { return m.features.All() }

// setFeature finalizes or removes a feature. Unknown features are kept, as Kafka keeps them: what they mean is the
// business of brokers that know them.
func (m *Image) setFeature(r *FeatureLevelRecord, ch changes) error {
	if r.Name == MetadataVersionFeature && (r.FeatureLevel < MetadataVersionMin || r.FeatureLevel > MetadataVersionMax) {
		// Reading on would mean guessing at records that this code does not know.
		return unsupported("%s %d is outside [%d, %d]", r.Name, r.FeatureLevel, MetadataVersionMin, MetadataVersionMax)
	}
	switch {
	case r.Name == KRaftVersionFeature: // Kafka ignores it here too
		return nil
	case r.FeatureLevel < 0:
		return contradiction("feature %q has level %d", r.Name, r.FeatureLevel)
	case r.FeatureLevel == 0:
		m.features.Delete(r.Name)
	default:
		m.features.Set(r.Name, r.FeatureLevel)
	}
	ch.add(Change{Kind: FeatureChanged, Key: r.Name})
	return nil
}

// quotaEntry is the quotas of one entity.
type quotaEntry struct {
	entity []QuotaEntity // sorted by type
	values *ordmap.Map[string, QuotaValue]
}

// Quota is one quota of one entity (KIP-546).
type Quota struct {
	Entity []QuotaEntity // sorted by type; read only
	Key    string        // for instance "producer_byte_rate"
	Value  QuotaValue
}

// Quotas iterates over all quotas, by entity and key.
func (m *Image) Quotas() iter.Seq[Quota] {
	return func(yield func(Quota) bool) {
		for _, e := range m.quotas.All() {
			for k, v := range e.values.All() {
				if !yield(Quota{e.entity, k, v}) {
					return
				}
			}
		}
	}
}

// setQuota sets or removes one quota. Kafka's entity is a map from type to name, so the order of its parts does not
// count and no type may come twice.
func (m *Image) setQuota(r *ClientQuotaRecord, ch changes) error {
	entity := slices.Clone(r.Entity)
	slices.SortFunc(entity, func(a, b QuotaEntity) int { return cmp.Compare(a.Type, b.Type) })
	if len(entity) == 0 {
		return contradiction("quota %q has no entity", r.Key)
	}
	var id strings.Builder // a key that is equal for equal entities and no others
	for i, part := range entity {
		if i > 0 && entity[i-1].Type == part.Type {
			return contradiction("quota %q names its %q twice", r.Key, part.Type)
		}
		writeSized(&id, part.Type)
		if part.Name != nil {
			writeSized(&id, *part.Name)
		} else {
			id.WriteByte('-')
		}
	}
	e := m.quotas.At(id.String())
	switch {
	case !r.Remove && e == nil:
		e = &quotaEntry{entity, ordmap.Ordered[string, QuotaValue]()}
		m.quotas.Set(id.String(), e)
		fallthrough
	case !r.Remove:
		e.values.Set(r.Key, r.Value)
	case e != nil:
		e.values.Delete(r.Key)
		if e.values.Len() == 0 {
			m.quotas.Delete(id.String())
		}
	}
	ch.add(Change{Kind: QuotaChanged, Key: r.Key})
	return nil
}

// writeSized writes s so that no two sequences of strings come out the same.
func writeSized(b *strings.Builder, s string) {
	b.WriteString(strconv.Itoa(len(s)))
	b.WriteByte(':')
	b.WriteString(s)
}

// advanceProducerIDs moves the end of the blocks handed out. Going back would hand an id to two producers, each of
// which would then be fenced or deduplicated by the other's records (KIP-98).
func (m *Image) advanceProducerIDs(r *ProducerIDsRecord, ch changes) error {
	if r.NextProducerID <= m.nextProducerID {
		return contradiction("producer ids below %d are handed out already, the record ends at %d",
			m.nextProducerID, r.NextProducerID)
	}
	m.nextProducerID = r.NextProducerID
	ch.add(Change{Kind: ProducerIDsChanged})
	return nil
}

// ScramKey names one SCRAM credential.
type ScramKey struct {
	User      string
	Mechanism int8
}

// Compare orders credentials by user, then by mechanism.
func (k ScramKey) Compare(other ScramKey) int {
	return cmp.Or(cmp.Compare(k.User, other.User), cmp.Compare(k.Mechanism, other.Mechanism))
}

// Compare orders ids by their big-endian value.
func (id AclID) Compare(other AclID) int { return bytes.Compare(id[:], other[:]) }

// Acls iterates over the access control entries by id.
func (m *Image) Acls() iter.Seq[*AccessControlEntryRecord] { return values(m.acls) }

// Scram is one user's credential for one mechanism, nil when there is none.
func (m *Image) Scram(key ScramKey) *UserScramCredentialRecord { return m.scram.At(key) }

// Token is a delegation token by its id, nil when there is none.
func (m *Image) Token(id string) *DelegationTokenRecord { return m.tokens.At(id) }

// changeAcl adds or removes an access control entry. An id that is added twice is a contradiction, as ids are random.
func (m *Image) changeAcl(rec Record, ch changes) error {
	switch r := rec.(type) {
	case *AccessControlEntryRecord:
		if m.acls.Has(r.ID) {
			return contradiction("access control entry %x exists already", r.ID)
		}
		m.acls.Set(r.ID, r)
	case *RemoveAccessControlEntryRecord:
		if !m.acls.Has(r.ID) {
			return contradiction("there is no access control entry %x", r.ID)
		}
		m.acls.Delete(r.ID)
	}
	ch.add(Change{Kind: AclChanged})
	return nil
}

// changeScram sets or removes a credential.
func (m *Image) changeScram(rec Record, ch changes) error {
	var key ScramKey
	switch r := rec.(type) {
	case *UserScramCredentialRecord:
		key = ScramKey{r.Name, r.Mechanism}
		m.scram.Set(key, r)
	case *RemoveUserScramCredentialRecord:
		key = ScramKey{r.Name, r.Mechanism}
		if !m.scram.Has(key) {
			return contradiction("user %q has no credential for mechanism %d", r.Name, r.Mechanism)
		}
		m.scram.Delete(key)
	}
	ch.add(Change{Kind: ScramChanged, Key: key.User})
	return nil
}

// changeToken adds, renews or removes a delegation token.
func (m *Image) changeToken(rec Record, ch changes) {
	var id string
	switch r := rec.(type) {
	case *DelegationTokenRecord:
		id = r.TokenID
		m.tokens.Set(id, r)
	case *RemoveDelegationTokenRecord:
		id = r.TokenID
		m.tokens.Delete(id) // Kafka's controller lets a token be removed twice
	}
	ch.add(Change{Kind: TokenChanged, Key: id})
}
