package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ApiVersions (key 18).
//
// Behavior: lists what [APIs] serves, with one lie that clients depend on: Produce is advertised from 0, because
// librdkafka before 2.x takes a higher least version to mean that compression is not understood and drops it without
// a word (KAFKA-18659). A version above ours is answered at version 0 with UNSUPPORTED_VERSION; core/conn does that.
//
// Version notes: 3 flexible, software name and version, features. 4 may list features whose least level is 0; older
// clients refuse them. 5 checks the cluster that the client means to speak to (KIP-1242).

// APIs lists the keys and versions that the broker accepts.
func APIs() []conn.VersionRange {
	return []conn.VersionRange{
		{Key: 0, Min: 3, Max: 13},
		{Key: 1, Min: 4, Max: 18},
		{Key: 2, Min: 1, Max: 11},
		{Key: 3, Min: 0, Max: 13},
		{Key: 8, Min: 2, Max: 10},
		{Key: 9, Min: 1, Max: 10},
		{Key: 10, Min: 0, Max: 6},
		{Key: 11, Min: 0, Max: 9},
		{Key: 12, Min: 0, Max: 4},
		{Key: 13, Min: 0, Max: 5},
		{Key: 14, Min: 0, Max: 5},
		{Key: 15, Min: 0, Max: 6},
		{Key: 16, Min: 0, Max: 5},
		{Key: 18, Min: 0, Max: 5},
		{Key: 19, Min: 2, Max: 7},
		{Key: 20, Min: 1, Max: 6},
		{Key: 21, Min: 0, Max: 2},
		{Key: 22, Min: 0, Max: 5},
		{Key: 23, Min: 2, Max: 4},
		{Key: 24, Min: 0, Max: 5},
		{Key: 25, Min: 0, Max: 4},
		{Key: 26, Min: 0, Max: 5},
		{Key: 27, Min: 1, Max: 2},
		{Key: 28, Min: 0, Max: 6},
		{Key: 32, Min: 1, Max: 4},
		{Key: 33, Min: 0, Max: 2},
		{Key: 35, Min: 1, Max: 5},
		{Key: 37, Min: 0, Max: 3},
		{Key: 42, Min: 0, Max: 3},
		{Key: 43, Min: 0, Max: 2},
		{Key: 44, Min: 0, Max: 1},
		{Key: 45, Min: 0, Max: 1},
		{Key: 46, Min: 0, Max: 0},
		{Key: 47, Min: 0, Max: 0},
		{Key: 55, Min: 0, Max: 2},
		{Key: 57, Min: 0, Max: 2},
		{Key: 60, Min: 0, Max: 2},
		{Key: 61, Min: 0, Max: 0},
		{Key: 64, Min: 0, Max: 0},
		{Key: 65, Min: 0, Max: 0},
		{Key: 66, Min: 0, Max: 2},
		{Key: 68, Min: 0, Max: 1},
		{Key: 69, Min: 0, Max: 1},
		{Key: 75, Min: 0, Max: 0},
		{Key: 80, Min: 0, Max: 1},
		{Key: 81, Min: 0, Max: 0},
	}
}

// feature is a feature with the levels that this broker supports.
type feature struct {
	name     string
	min, max metadata.FeatureLevel
}

// features are what this broker can run with. Groups and transactions are not there yet, so their levels are not
// offered: clients key their behaviour off them.
func features() []feature {
	return []feature{
		{metadata.MetadataVersionFeature, metadata.MetadataVersionMin, metadata.MetadataVersionMax},
		{metadata.KRaftVersionFeature, 0, metadata.KRaftVersionMax},
		{metadata.EligibleLeaderReplicasFeature, 0, metadata.EligibleLeaderReplicasMax},
		{metadata.GroupVersionFeature, 0, metadata.GroupVersionMax},
		{metadata.TransactionVersionFeature, 0, metadata.TransactionVersionMax},
	}
}

// supported is features as registrations have them.
func supported() []metadata.SupportedFeature {
	var list []metadata.SupportedFeature
	for _, f := range features() {
		list = append(list, metadata.SupportedFeature{Name: f.name, Min: f.min, Max: f.max})
	}
	return list
}

func (b *Broker) apiVersions(r *step.Request, req *kmsg.ApiVersionsRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
	if code := b.checkCaller(r.Version, req); code != core.ErrNone {
		resp.ErrorCode = int16(code)
		reply(r, resp, out)
		return
	}
	apis := APIs()
	if b.controllerListener(b.listenerOf(r)) {
		apis = conn.ControllerAPIs()
	}
	for _, a := range apis {
		if a.Key == 0 {
			a.Min = 0
		}
		resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: a.Key, MinVersion: a.Min, MaxVersion: a.Max})
	}
	for _, f := range features() {
		if f.min > 0 || r.Version >= 4 {
			resp.SupportedFeatures = append(resp.SupportedFeatures, kmsg.ApiVersionsResponseSupportedFeature{
				Name: f.name, MinVersion: int16(f.min), MaxVersion: int16(f.max),
			})
		}
	}
	resp.FinalizedFeaturesEpoch = int64(b.image().Offset())
	for name, level := range b.image().Features() {
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, kmsg.ApiVersionsResponseFinalizedFeature{
			Name: name, MaxVersionLevel: int16(level), MinVersionLevel: int16(level),
		})
	}
	reply(r, resp, out)
}

// checkCaller checks who asks, and whom the caller believes to ask.
func (b *Broker) checkCaller(version int16, req *kmsg.ApiVersionsRequest) core.ErrorCode {
	if version >= 3 && (!softwareName(req.ClientSoftwareName) || !softwareName(req.ClientSoftwareVersion)) {
		return core.ErrInvalidRequest
	}
	if version < 5 || req.ClusterID == nil && req.NodeID == -1 {
		return core.ErrNone
	}
	switch {
	case req.ClusterID == nil || req.NodeID == -1:
		return core.ErrInvalidRequest // one without the other
	case *req.ClusterID != b.cfg.ClusterID || req.NodeID != int32(b.cfg.NodeID):
		return core.ErrRebootstrapRequired
	}
	return core.ErrNone
}

// softwareName is Kafka's [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? (KIP-511).
func softwareName(s string) bool {
	alphanumeric := func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	for i := range len(s) {
		if !alphanumeric(s[i]) && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return len(s) > 0 && alphanumeric(s[0]) && alphanumeric(s[len(s)-1])
}
