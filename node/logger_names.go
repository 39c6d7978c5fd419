package node

import (
	"strconv"
	"sync"
)

// fileNames are those of the files that the lanes write, so that "conn-2", the
// second file of path "conn", does not meet a path of that name.
type fileNames struct {
	mu    sync.Mutex
	inUse map[string]struct{}
}

// claim returns name, or name-2, name-3 and so on, whichever is free; "" when
// there are already most names.
func (n *fileNames) claim(name string, most int) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.inUse == nil {
		n.inUse = make(map[string]struct{})
	}
	if len(n.inUse) >= most {
		return ""
	}
	free := name
	for i := 2; ; i++ {
		if _, used := n.inUse[free]; !used {
			n.inUse[free] = struct{}{}
			return free
		}
		free = name + "-" + strconv.Itoa(i)
	}
}

func (n *fileNames) release(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.inUse, name)
}

func (n *fileNames) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.inUse)
}

// reserve claims exactly this name.
func (n *fileNames) reserve(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.inUse == nil {
		n.inUse = make(map[string]struct{})
	}
	n.inUse[name] = struct{}{}
}
