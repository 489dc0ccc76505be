package metadata

// AclID identifies one access control entry.
type AclID [16]byte

// AccessControlEntryRecord adds an access control entry (KIP-801). The small numbers are those of Kafka's
// ResourceType, PatternType, AclOperation and AclPermissionType.
type AccessControlEntryRecord struct {
	ID             AclID
	ResourceType   int8
	ResourceName   string
	PatternType    int8
	Principal      string
	Host           string
	Operation      int8
	PermissionType int8
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

// UserScramCredentialRecord sets a user's SCRAM credential (KIP-900). Mechanism is 1 for SCRAM-SHA-256 and 2 for
// SCRAM-SHA-512.
type UserScramCredentialRecord struct {
	Name       string
	Mechanism  int8
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

// DelegationTokenRecord adds or renews a delegation token (KIP-900). Times are ms since the Unix epoch.
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
