// Package annotations holds annotations that are wrong or idle.
package annotations

import (
	"fmt"           //det:diagnostic fmt needs no excuse // want `annotation suppresses nothing: remove //det:diagnostic`
	"os"            //det:diagnostic files are no text for people // want `import of os` `annotation suppresses nothing`
	"runtime"       //det:diagnostic the rest of the runtime is not excused // want `import of runtime` `annotation suppresses nothing`
	"runtime/debug" //det:diagnostic the stack is shown to people only

	_ "runtime/debug" //det:unordered an excuse for something else // want `import of runtime/debug` `annotation suppresses nothing: remove //det:unordered`
	_ "runtime/debug" //det:diagnostic // want `annotation without a reason: say after //det:diagnostic why it cannot matter`
)

func stack() string {
	return fmt.Sprint(string(debug.Stack()), os.Args, runtime.NumCPU())
}

func loops(m map[int]int) (n int) {
	for range m { //det:unordered // want `annotation without a reason: say after //det:unordered why it cannot matter`
		n++
	}
	for range m { // det:unordered counting commutes // want `annotation is not a directive: write //det:unordered without a space after the slashes`
		n++
	}
	for range m { //det:unorderd counting commutes // want `unknown annotation //det:unorderd: there are //det:unordered <reason> and //det:diagnostic <reason>`
		n++
	}
	for range []int{1} { //det:unordered a slice has an order // want `annotation suppresses nothing: remove //det:unordered, or move it to the line that it is about`
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
