package metadata

// AclID identifies one access control entry; the controller draws it at random.
type AclID [16]byte

// AccessControlEntryRecord adds an access control entry (KIP-801). Entries are never changed, only removed by id.
type AccessControlEntryRecord struct {
	ID             AclID
	ResourceType   int8 // 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user
	ResourceName   string
	PatternType    int8   // 3 literal, 4 prefixed (KIP-290)
	Principal      string // for instance "User:alice"
	Host           string // "*": any
	Operation      int8   // Kafka's AclOperation: 2 all, 3 read, 4 write ...
	PermissionType int8   // 2 deny, 3 allow
}

// APIKey implements [Record].
func (*AccessControlEntryRecord) APIKey() RecordKey { return KeyAccessControlEntry }

func (r *AccessControlEntryRecord) walk(c *coder) {
	uuid(c, &r.ID)
	num8(c, &r.ResourceType)
	c.str(&r.ResourceName)
	num8(c, &r.PatternType)
	c.str(&r.Principal)
	c.str(&r.Host)
	num8(c, &r.Operation)
	num8(c, &r.PermissionType)
	c.noTags()
}

// RemoveAccessControlEntryRecord removes an access control entry.
type RemoveAccessControlEntryRecord struct {
	ID AclID
}

// APIKey implements [Record].
func (*RemoveAccessControlEntryRecord) APIKey() RecordKey { return KeyRemoveAccessControlEntry }

func (r *RemoveAccessControlEntryRecord) walk(c *coder) {
	uuid(c, &r.ID)
	c.noTags()
}

// UserScramCredentialRecord sets a user's SCRAM credential (KIP-900): what RFC 5802 lets a server store in place of
// the password. Written from metadata.version 11 on.
type UserScramCredentialRecord struct {
	Name       string
	Mechanism  int8 // 1 SCRAM-SHA-256, 2 SCRAM-SHA-512
	Salt       []byte
	StoredKey  []byte
	ServerKey  []byte
	Iterations int32
}

// APIKey implements [Record].
func (*UserScramCredentialRecord) APIKey() RecordKey { return KeyUserScramCredential }

func (r *UserScramCredentialRecord) walk(c *coder) {
	c.str(&r.Name)
	num8(c, &r.Mechanism)
	c.bytes(&r.Salt)
	c.bytes(&r.StoredKey)
	c.bytes(&r.ServerKey)
	num32(c, &r.Iterations)
	c.noTags()
}

// RemoveUserScramCredentialRecord removes a user's SCRAM credential.
type RemoveUserScramCredentialRecord struct {
	Name      string
	Mechanism int8
}

// APIKey implements [Record].
func (*RemoveUserScramCredentialRecord) APIKey() RecordKey { return KeyRemoveUserScram }

func (r *RemoveUserScramCredentialRecord) walk(c *coder) {
	c.str(&r.Name)
	num8(c, &r.Mechanism)
	c.noTags()
}

// DelegationTokenRecord adds or renews a delegation token (KIP-48, KIP-900). Times are ms since the Unix epoch. The
// secret is not in it: every node derives it from the id and delegation.token.secret.key. Written from
// metadata.version 14 on.
type DelegationTokenRecord struct {
	Owner               string
	Requester           string
	Renewers            []string
	IssueTimestamp      int64
	MaxTimestamp        int64
	ExpirationTimestamp int64
	TokenID             string
}

// APIKey implements [Record].
func (*DelegationTokenRecord) APIKey() RecordKey { return KeyDelegationToken }

func (r *DelegationTokenRecord) walk(c *coder) {
	c.str(&r.Owner)
	c.str(&r.Requester)
	array(c, &r.Renewers, 1, (*coder).str)
	num64(c, &r.IssueTimestamp)
	num64(c, &r.MaxTimestamp)
	num64(c, &r.ExpirationTimestamp)
	c.str(&r.TokenID)
	c.noTags()
}

// RemoveDelegationTokenRecord removes a delegation token.
type RemoveDelegationTokenRecord struct {
	TokenID string
}

// APIKey implements [Record].
func (*RemoveDelegationTokenRecord) APIKey() RecordKey { return KeyRemoveDelegationToken }

func (r *RemoveDelegationTokenRecord) walk(c *coder) {
	c.str(&r.TokenID)
	c.noTags()
}
