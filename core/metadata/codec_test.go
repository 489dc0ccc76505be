package metadata

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

// normal is a copy of rec in which lists that are null for the schema stay nil and all others are not nil, so that
// a written record compares with a parsed one.
func normal(rec Record) Record {
	src := reflect.ValueOf(rec).Elem()
	out := reflect.New(src.Type())
	out.Elem().Set(src)
	for i := range src.NumField() {
		f := out.Elem().Field(i)
		if f.Kind() == reflect.Slice && f.IsNil() && !nullable(rec, src.Type().Field(i).Name) {
			f.Set(reflect.MakeSlice(f.Type(), 0, 0))
		}
	}
	return out.Interface().(Record)
}

func nullable(rec Record, field string) bool {
	switch rec.(type) {
	case *PartitionChangeRecord:
		return true
	case *PartitionRecord:
		return field == "EligibleLeaderReplicas" || field == "LastKnownElr"
	}
	return field == "CordonedLogDirs"
}

// drawRecord is any record whatsoever, with every field arbitrary.
func drawRecord(t *rapid.T) Record {
	var keys []RecordKey
	for k := range RecordKey(64) {
		if newRecord(k) != nil {
			keys = append(keys, k)
		}
	}
	rec := newRecord(rapid.SampledFrom(keys).Draw(t, "key"))
	v := reflect.ValueOf(rec).Elem()
	for i := range v.NumField() {
		drawValue(t, v.Field(i), v.Type().Field(i).Name)
	}
	return rec
}

func drawValue(t *rapid.T, v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int8:
		v.SetInt(int64(rapid.Int8().Draw(t, name)))
	case reflect.Int16:
		v.SetInt(int64(rapid.Int16().Draw(t, name)))
	case reflect.Int32:
		v.SetInt(int64(rapid.Int32().Draw(t, name)))
	case reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, name))
	case reflect.Uint8:
		v.SetUint(uint64(rapid.Byte().Draw(t, name)))
	case reflect.Uint16:
		v.SetUint(uint64(rapid.Uint16().Draw(t, name)))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, name))
	case reflect.String:
		v.SetString(rapid.StringN(0, 200, -1).Draw(t, name))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name+" set") {
			v.Set(reflect.New(v.Type().Elem()))
			drawValue(t, v.Elem(), name)
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 4).Draw(t, name+" length"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				drawValue(t, v.Index(i), name)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			drawValue(t, v.Index(i), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			drawValue(t, v.Field(i), v.Type().Field(i).Name)
		}
	default:
		panic("no generator for " + v.Kind().String())
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := drawRecord(t)
		version := rapid.Int16Range(0, latestVersion(rec.APIKey())).Draw(t, "version")
		b, err := appendVersion(nil, rec, version)
		if err != nil { // the older version lacks a field that is set
			require.Less(t, version, latestVersion(rec.APIKey()))
			return
		}
		back, err := Parse(b)
		require.NoError(t, err)
		require.Equal(t, normal(rec), normal(back))
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		_, err = Parse(b[:cut])
		require.ErrorIs(t, err, ErrMalformed)
		_, err = Parse(append(b, 0))
		require.ErrorIs(t, err, ErrMalformed)
	})
}

func TestAppendToChoosesKafkasVersion(t *testing.T) {
	register := &RegisterBrokerRecord{}
	partition := &PartitionRecord{}
	for _, c := range []struct {
		rec   Record
		level FeatureLevel
		want  byte
	}{
		{register, 7, 1}, {register, 8, 2}, {register, 16, 2}, {register, 17, 3}, {register, 29, 3}, {register, 30, 4},
		{partition, 7, 0}, {partition, 16, 0}, {partition, 17, 1}, {partition, 22, 1}, {partition, 23, 2},
		{&PartitionChangeRecord{}, 22, 1}, {&PartitionChangeRecord{}, 33, 2},
		{&BrokerRegistrationChangeRecord{Fenced: Fence}, 33, 0},
		{&BrokerRegistrationChangeRecord{InControlledShutdown: ShutdownEnter}, 33, 1},
		{&BrokerRegistrationChangeRecord{LogDirs: []DirectoryID{{}}}, 33, 2},
		{&BrokerRegistrationChangeRecord{CordonedLogDirs: []DirectoryID{}}, 33, 3},
		{&TopicRecord{}, 33, 0},
	} {
		require.Equal(t, c.want, AppendTo(nil, c.rec, c.level)[2], "%s at %d", c.rec.APIKey(), c.level)
	}
	require.PanicsWithValue(t,
		"metadata: *metadata.RegisterBrokerRecord at metadata.version 8: version 2 cannot carry LogDirs (from version 3)",
		func() { AppendTo(nil, brokerFull(), 8) })
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want error
		text string
	}{
		{"", ErrMalformed, "frame: bytes end early"},
		{"00 14 00 00", ErrUnsupportedVersion, "frame version 0, want 1"},
		{"02 14 00 00", ErrUnsupportedVersion, "frame version 2, want 1"},
		{"01 06 00 00", ErrUnknownRecord, "api key 6"},
		{"01 1e 00 00", ErrUnknownRecord, "api key 30"},
		{"01 ffff03 00 00", ErrUnknownRecord, "api key 65535"},
		{"01 14 01 00", ErrUnsupportedVersion, "NoOpRecord version 1, latest known is 0"},
		{"01 00 05 00", ErrUnsupportedVersion, "RegisterBrokerRecord version 5, latest known is 4"},
		{"01 ffffffffff0f 00", ErrMalformed, "varint is too long"},
		{"01 14 00 00 00", ErrMalformed, "bytes left over"},
		{"01 1c 00 00 00", ErrMalformed, "null where the schema allows none"},     // null TopicName
		{"01 1c 00 ffffffff0f 00", ErrMalformed, "more elements than"},            // a name of 4 GiB
		{"01 0e 00 ffffffff0f 00", ErrMalformed, "more elements than"},            // as many quota entities
		{"01 14 00 ffffffff0f 00", ErrMalformed, "more elements than"},            // as many tagged fields
		{"01 14 00 01 00 ffffffff0f", ErrMalformed, "bytes end early"},            // one of 4 GiB
		{"01 14 00 02 05 00 05 00", ErrMalformed, "tagged fields are not in asc"}, // the same tag twice
		{"01 17 00 01 00 03 0262 ff", ErrMalformed, "tag 0: bytes left over"},     // size says 3, the string has 2
		{"01 09 00 " + uuid10[:30], ErrMalformed, "RemoveTopicRecord version 0: bytes end early"},
	} {
		_, err := Parse(unhex(t, c.hex))
		require.ErrorIs(t, err, c.want, c.hex)
		require.ErrorContains(t, err, c.text, c.hex)
	}
}

func TestUnknownTaggedFieldsAreSkipped(t *testing.T) {
	rec, err := Parse(unhex(t, "01 17 00 02 00 02 0262 63 03 aabbcc")) // tag 0 known, tag 99 not
	require.NoError(t, err)
	require.Equal(t, &BeginTransactionRecord{Name: ptr("b")}, rec)
	// A tag of a later version is as unknown as any: version 0 of the change has no directories.
	rec, err = Parse(unhex(t, "01 05 00 00000002 "+uuid10+" 01 08 11 02 "+uuid20))
	require.NoError(t, err)
	require.Equal(t, NewPartitionChange(core.TopicID(seq(0x10)), 2), rec)
	// Null in a nullable tagged field means what its absence means.
	rec, err = Parse(unhex(t, "01 05 00 00000002 "+uuid10+" 01 00 01 00"))
	require.NoError(t, err)
	require.Equal(t, NewPartitionChange(core.TopicID(seq(0x10)), 2), rec)
}

func TestParseKeepsNothingOfItsInput(t *testing.T) {
	b, err := appendVersion(nil, brokerFull(), 4)
	require.NoError(t, err)
	rec, err := Parse(b)
	require.NoError(t, err)
	clear(b)
	require.Equal(t, normal(brokerFull()), normal(rec))
}

func FuzzParse(f *testing.F) {
	for _, g := range goldens() {
		f.Add(unhex(f, g.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := Parse(b)
		if err != nil {
			require.Nil(t, rec)
			return
		}
		again, err := appendVersion(nil, rec, latestVersion(rec.APIKey()))
		require.NoError(t, err)
		back, err := Parse(again)
		require.NoError(t, err)
		require.Equal(t, normal(rec), normal(back))
	})
}

func FuzzParseControl(f *testing.F) {
	for _, g := range controlGoldens() {
		f.Add(int16(g.rec.ControlType()), unhex(f, g.hex))
	}
	f.Fuzz(func(t *testing.T, typ int16, b []byte) {
		rec, err := ParseControl(ControlType(typ), b)
		if err != nil {
			return
		}
		back, err := ParseControl(ControlType(typ), AppendControl(nil, rec))
		require.NoError(t, err)
		require.Equal(t, rec, back)
	})
}
