package log

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/record"
)

// EntryKind says what a journal [Entry] tells.
type EntryKind uint8

// The kinds of entries.
const (
	// EntryAppended is one batch with offsets Base to Last.
	EntryAppended EntryKind = iota + 1
	// EntryTruncated is the end of a truncation: batches from offset Base on are gone.
	EntryTruncated
	// EntryRestarted is the end of a truncation that emptied the log: it now begins and ends at Base.
	EntryRestarted
	// EntryOpened is the end of the recovery after a start: the log has the offsets from Base to Last. What a journal of
	// an earlier process had beyond Last was not durable. An empty log (Last is Base-1) may begin above what was known: it
	// was about to begin anew there when the process ended.
	EntryOpened
	// EntryStartRaised is a higher log start offset, Base (retention, DeleteRecords).
	EntryStartRaised
	// EntryCleaned says that the batches from Base to Last were compacted: some are gone, some hold fewer records.
	EntryCleaned
	// EntryForgotten says that a producer has been silent for too long, and its state was dropped.
	EntryForgotten
)

// Entry is one change of a log's contents.
type Entry struct {
	Kind  EntryKind
	Base  core.Offset
	Last  core.Offset      // of EntryAppended, EntryOpened and EntryCleaned
	Epoch core.LeaderEpoch // of EntryAppended
	// CRC is the checksum of EntryAppended's batch; neither offsets nor the epoch go into it.
	CRC uint32
	// Producer is what EntryAppended's batch says of its producer, and whom EntryForgotten speaks of.
	Producer pstate.Batch
}

// TakeJournal is the entries since the last call, in order; the slice is the caller's. It is empty without
// Config.Journal.
func (l *Log) TakeJournal() []Entry {
	j := l.journal
	l.journal = nil
	return j
}

// journalBatch notes an append.
func (l *Log) journalBatch(h *record.Header, view *pstate.Batch) {
	if l.cfg.Journal {
		l.journal = append(l.journal, Entry{Kind: EntryAppended, Base: h.BaseOffset, Last: h.LastOffset(),
			Epoch: h.PartitionLeaderEpoch, CRC: h.CRC, Producer: *view})
	}
}

// journalRecovery notes how a start or a truncation has ended.
func (l *Log) journalRecovery(r *recovery) {
	if !l.cfg.Journal {
		return
	}
	e := Entry{Kind: EntryOpened, Base: l.start, Last: l.end - 1}
	switch {
	case r.restart:
		e = Entry{Kind: EntryRestarted, Base: l.start}
	case r.cutAt != noCut:
		e = Entry{Kind: EntryTruncated, Base: l.end}
	}
	l.journal = append(l.journal, e)
}

// journalStart notes a raised log start.
func (l *Log) journalStart() {
	if l.cfg.Journal {
		l.journal = append(l.journal, Entry{Kind: EntryStartRaised, Base: l.start})
	}
}

// journalCleaned notes that a cleaned segment is in place.
func (l *Log) journalCleaned(s *segment) {
	if l.cfg.Journal {
		l.journal = append(l.journal, Entry{Kind: EntryCleaned, Base: s.base, Last: s.next - 1})
	}
}
