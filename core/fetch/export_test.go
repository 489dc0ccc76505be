package fetch

// Kept is the number of sessions that the cache holds on to, open or not.
func (c *Cache) Kept() int { return len(c.byAge) }
