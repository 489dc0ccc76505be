// Package formats holds the files that klamm explain writes against parsers that other people wrote: tshark with
// Wireshark's Kafka dissector reads the packets, Mermaid's own parser the sequence diagram, Perfetto's trace processor the
// trace, and Chromium opens the page and says how long it takes to draw a frame.
//
// Wireshark's dissector knows old versions of the APIs only, Debian's of 2023 for example Fetch up to 11. Frames of newer versions
// are decoded with franz-go's kmsg instead, from the bytes as tshark has them.
//
// It has no code outside its tests.
package formats
