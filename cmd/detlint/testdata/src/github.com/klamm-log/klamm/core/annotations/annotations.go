// Package annotations holds annotations that are wrong or idle.
package annotations

func loops(m map[int]int) (n int) {
	for range m { //det:unordered // want `annotation without a reason: say after //det:unordered why the order cannot matter`
		n++
	}
	for range m { // det:unordered counting commutes // want `annotation is not a directive: write //det:unordered without a space after the slashes`
		n++
	}
	for range m { //det:unorderd counting commutes // want `unknown annotation //det:unorderd: the only one is //det:unordered <reason>`
		n++
	}
	for range []int{1} { //det:unordered a slice has an order // want `annotation suppresses nothing: remove //det:unordered, or move it to the line of the loop`
		n++
	}
	//det:unordered stands above, not behind // want `annotation suppresses nothing`
	for range m { // want `range over a map`
		n++
	}
	for range m { // a comment on det:unordered is no annotation // want `range over a map`
		n++
	}
	return n
}
