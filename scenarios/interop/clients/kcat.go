package clients

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// Kcat is the program kcat: librdkafka as Debian built it years ago (2.0.2 in bookworm), which negotiates in ways
// that the newest one has forgotten.
type Kcat struct{}

// Name implements [Client].
func (Kcat) Name() string { return "kcat" }

// Missing implements [Client].
func (Kcat) Missing() string {
	if _, err := exec.LookPath("kcat"); err != nil {
		return "no program kcat (Debian: apt-get install kcat)"
	}
	return ""
}

// Shape implements [Client]: kcat has one set of headers for all messages and reads text.
func (Kcat) Shape() Shape { return Shape{} }

// Produce implements [Client]. kcat names one partition per run. It prints no offsets, so Acked is never called; it
// ends without an error only if everything was acknowledged.
func (Kcat) Produce(ctx context.Context, job Job) error {
	sent := 0
	for p := range job.Partitions {
		var said bytes.Buffer
		cmd := exec.CommandContext(ctx, "kcat", "-P", "-E", "-b", job.Addr, "-t", job.Topic, "-p", fmt.Sprint(p),
			"-z", string(job.Codec), "-K", "|", "-H", "made=kcat", "-X", "acks=all",
			"-X", fmt.Sprintf("enable.idempotence=%v", job.Idempotent))
		cmd.Stderr = &said
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		fed := kcatFeed(in, job, p, &sent)
		if err := errors.Join(fed, cmd.Wait()); err != nil {
			return fmt.Errorf("kcat -P: %w: %s", err, &said)
		}
		if strings.Contains(said.String(), "Delivery failed") {
			return fmt.Errorf("kcat -P: %s", &said)
		}
	}
	return nil
}

func kcatFeed(in io.WriteCloser, job Job, partition int32, sent *int) error {
	out := bufio.NewWriter(in)
	for i := int(partition); i < job.Count; i += int(job.Partitions) {
		r := job.Shape.Record(i)
		if _, err := fmt.Fprintf(out, "%s|%s\n", r.Key, r.Value); err != nil {
			return err
		}
		*sent++
		if job.Sent != nil && *sent%100 == 0 {
			job.Sent(*sent)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return in.Close()
}

// Consume implements [Client].
func (Kcat) Consume(ctx context.Context, from Source, each func(Read) error) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "kcat", "-C", "-q", "-e", "-b", from.Addr, "-t", from.Topic, "-o", "beginning",
		"-f", `%p %o %T %K %S %h\n%k%s\n`)
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	missing := int64(0)
	for _, end := range from.Ends {
		missing += end
	}
	var failed error
	for lines := bufio.NewReader(out); failed == nil; {
		r, err := kcatRead(lines)
		if errors.Is(err, io.EOF) {
			break
		}
		if failed = err; err == nil && r.Offset < from.Ends[r.Partition] {
			missing--
			failed = each(r)
		}
	}
	_, _ = io.Copy(io.Discard, out) // so that it can end
	if err := errors.Join(failed, cmd.Wait()); err != nil {
		return fmt.Errorf("kcat -C: %w: %s", err, &said)
	}
	if missing != 0 {
		return fmt.Errorf("kcat -C: %d records did not come: %s", missing, &said)
	}
	return nil
}

// kcatRead reads one record in the format that Consume asks for.
func kcatRead(from *bufio.Reader) (Read, error) {
	line, err := from.ReadString('\n')
	if err != nil {
		return Read{}, err // io.EOF between records is the end
	}
	fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 6)
	if len(fields) != 6 {
		return Read{}, fmt.Errorf("kcat printed %q", line)
	}
	var n [5]int64
	for i := range n {
		if n[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return Read{}, fmt.Errorf("kcat printed %q: %w", line, err)
		}
	}
	r := Read{Partition: int32(n[0]), Offset: n[1], Codec: -1, Record: Record{Timestamp: n[2]}}
	if r.Key, err = kcatBytes(from, n[3]); err != nil {
		return r, err
	}
	if r.Value, err = kcatBytes(from, n[4]); err != nil {
		return r, err
	}
	if _, err := from.Discard(1); err != nil {
		return r, err
	}
	if fields[5] != "" {
		for header := range strings.SplitSeq(fields[5], ",") {
			key, value, _ := strings.Cut(header, "=")
			r.Headers = append(r.Headers, Header{Key: key, Value: []byte(value)})
		}
	}
	return r, nil
}

// kcatBytes reads a key or value of a length that is -1 for null.
func kcatBytes(from io.Reader, length int64) ([]byte, error) {
	if length < 0 {
		return nil, nil
	}
	b := make([]byte, length)
	_, err := io.ReadFull(from, b)
	return b, err
}
