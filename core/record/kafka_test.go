package record

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
)

// kafkaBatches are batches of kafkaRecords as Kafka's own Java client wrote them (kafka-clients 4.0.0,
// MemoryRecords.withRecords), one for each codec and one with the largest zstd window that it uses.
func kafkaBatches() []struct{ name, raw string } {
	return []struct{ name, raw string }{
		{"none", `
			000000000000000000000079ffffffff027223c47c00000000000200000000000003e800000000000003eeffffffffffffff
			ffffffffffffff000000030c00000001010042000602086b6579312676616c7565206f66207265636f726420312078020468
			31013c000c04086b6579322876616c7565206f66207265636f7264203220787800
		`},
		{"gzip", `
			00000000000000000000007dffffffff02c74dbb6600010000000200000000000003e800000000000003eeffffffffffffff
			ffffffffffffff000000031f8b08000000000000ffe361606060646470626063e2c84ead34542b4bcc294d55c84f53284a4d
			ce2f4a513054a86062c93064b461e06101a930d2405761a45051c100007008468248000000
		`},
		{"snappy", `
			000000000000000000000082ffffffff024c83a34800020000000200000000000003e800000000000003eeffffffffffffff
			ffffffffffffff0000000382534e415050590000000001000000010000003d48b00c00000001010042000602086b65793126
			76616c7565206f66207265636f72642031207802046831013c000c0401220432283e2200103220787800
		`},
		{"lz4", `
			00000000000000000000007cffffffff028d384e8a00030000000200000000000003e800000000000003eeffffffffffffff
			ffffffffffffff0000000304224d186040823c000000f01e0c00000001010042000602086b6579312676616c7565206f6620
			7265636f72642031207802046831013c000c0422002c3228220050322078780000000000
		`},
		{"zstd", `
			00000000000000000000007dffffffff028c938cd700040000000200000000000003e800000000000003eeffffffffffffff
			ffffffffffffff0000000328b52ffd005804020084030c00000001010042000602086b6579312676616c7565206f66207265
			636f72642031207802046831013c000c04086b657932283220787800010053100505010000
		`},
		{"zstd level 22, window 128 MiB", `
			00000000000000000000007affffffff027a7d480300040000000200000000000003e800000000000003eeffffffffffffff
			ffffffffffffff0000000328b52ffd0088ec010044030c00000001010042000602086b6579312676616c7565206f66207265
			636f72642031207802046831013c000c0432283220787800020000714ba0ca010000
		`},
	}
}

func kafkaRecords() []plain {
	return []plain{
		{0, 1000, nil, nil, nil},
		{1, 1003, []byte("key1"), []byte("value of record 1 x"), []RecordHeader{{[]byte("h1"), nil}}},
		{2, 1006, []byte("key2"), []byte("value of record 2 xx"), nil},
	}
}

func TestKafkaBatches(t *testing.T) {
	var c Codecs
	for _, tt := range kafkaBatches() {
		t.Run(tt.name, func(t *testing.T) {
			raw := Batch(unhex(t, tt.raw, ""))
			s, refusal := Check(raw, Limits{MaxDecompressed: 100}, &c)
			require.True(t, refusal.OK(), refusal)
			require.Equal(t, int32(3), s.RecordCount)
			require.Equal(t, core.Wall(1006), s.MaxTimestamp)
			require.Equal(t, kafkaRecords(), readAll(t, raw))
			if s.Codec == None {
				ours := build(t, Options{PartitionLeaderEpoch: core.NoLeaderEpoch}, kafkaRecords())
				require.Equal(t, raw, ours)
			}
		})
	}
}
