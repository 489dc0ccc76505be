package transport

import (
	"time"

	"github.com/klamm-log/klamm/core/conn"
)

// write is the writing goroutine: replies to bytes, in the order of the requests, until the connection closes or has
// nothing more to say.
func (c *connection) write() {
	defer c.ended()
	waiting := map[uint64][]lease{} // of replies given to out, by Seq
	var batch []outgoing
	for {
		var ok bool
		if batch, ok = c.nextBatch(batch); !ok {
			break
		}
		first := c.out.Released()
		for i := range batch {
			if len(batch[i].files) > 0 {
				waiting[batch[i].reply.Seq] = batch[i].files
			}
			c.out.Reply(batch[i].reply)
		}
		clear(batch)
		closing, err := c.flush(waiting, first)
		if err != nil {
			c.close()
			break
		}
		if closing {
			c.linger()
			break
		}
	}
	for _, files := range waiting {
		(&outgoing{files: files}).releaseFiles()
	}
}

// flush sends what out has and gives back the files of the replies from first on that it sent. It tells whether the
// connection is to close.
func (c *connection) flush(waiting map[uint64][]lease, first uint64) (closing bool, err error) {
	last := c.out.Released()
	if !c.out.Pending() {
		c.wroteUpTo(last) // there may be replies without a response
		return false, nil
	}
	output := c.out.Take()
	var files []lease
	if len(waiting) > 0 {
		for seq := first; seq < last; seq++ {
			files = append(files, waiting[seq]...)
			delete(waiting, seq)
		}
	}
	c.mute(output)
	err = c.send.output(output, files)
	closing = output.Close
	c.out.Sent()
	(&outgoing{files: files}).releaseFiles()
	if err != nil {
		return true, err
	}
	c.wroteUpTo(last)
	return closing, nil
}

// mute holds the reader back after a response (KIP-219). It comes before the response is sent: who has read that may
// have the next request here before the sending call has returned.
func (c *connection) mute(output *conn.Output) {
	if output.MuteFor > 0 {
		c.mutedUntil.Store(time.Now().Add(time.Duration(output.MuteFor) * time.Millisecond).UnixNano())
	}
}

// nextBatch waits for replies or the end of reading and takes them. It is false when the connection closes.
func (c *connection) nextBatch(spare []outgoing) (batch []outgoing, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 && !c.finished && !c.closing.Load() {
		c.idle = true
		c.work.Wait()
	}
	c.idle = false
	if c.closing.Load() {
		return nil, false // what is queued is dropped by ended
	}
	batch, c.queue = c.queue, spare[:0]
	if c.finished { // told once
		c.finished = false
		c.out.Finish(c.finish)
	}
	return batch, true
}

// linger ends the sending direction. The other one is emptied by the reader before the socket is closed: closing
// with bytes unread makes TCP send a reset, which may overtake the last responses.
func (c *connection) linger() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	c.watch.stop()
	c.lingering.Store(true)
	c.poke()
}
