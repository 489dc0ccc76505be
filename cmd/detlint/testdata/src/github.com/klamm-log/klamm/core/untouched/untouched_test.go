package untouched

import (
	"os"
	"sync"
	"time"
)

func helper(m map[int]float64) {
	var mu sync.Mutex
	mu.Lock()
	for range m { //det:unordered
		go os.Getpid()
	}
	time.Sleep(1)
}
