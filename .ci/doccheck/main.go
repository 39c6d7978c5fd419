// Command doccheck reads lines of package name and directory and checks that
// every exported name there is documented: functions, methods, those of
// interfaces too, types, constants and variables. The fields of a struct are its
// type's comment's business. It also wants the package comment in doc.go (a command's may be in main.go) and
// nowhere else.
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// checker collects what is missing.
type checker struct {
	fset    *token.FileSet
	names   int
	missing []string
}

func main() {
	c := &checker{fset: token.NewFileSet()}
	packages := 0
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		name, dir, _ := strings.Cut(in.Text(), " ")
		if err := c.directory(name, dir); err != nil {
			fmt.Println("doccheck:", err)
			os.Exit(1)
		}
		packages++
	}
	if packages == 0 || c.names == 0 {
		fmt.Println("doccheck: nothing to check")
		os.Exit(1)
	}
	for _, line := range c.missing {
		fmt.Println(line)
	}
	fmt.Printf("%d exported names in %d packages, %d complaints\n", c.names, packages, len(c.missing))
	if len(c.missing) > 0 {
		os.Exit(1)
	}
}

// directory checks the package in dir, files for other systems included.
func (c *checker) directory(name, dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	homes := []string{"doc.go"}
	if name == "main" {
		homes = append(homes, "main.go")
	}
	commented := false
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(c.fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if file.Doc != nil && strings.TrimSpace(file.Doc.Text()) != "" {
			if commented || !slices.Contains(homes, filepath.Base(path)) {
				c.complain(file.Pos(), "package comment outside %s, or a second one", homes)
			}
			commented = true
		}
		for _, decl := range file.Decls {
			c.declaration(decl)
		}
	}
	if !commented {
		c.missing = append(c.missing, fmt.Sprintf("%s: no package comment in %s", relative(dir), homes))
	}
	return nil
}

// complain notes something missing.
func (c *checker) complain(pos token.Pos, format string, args ...any) {
	at := c.fset.Position(pos)
	c.missing = append(c.missing, fmt.Sprintf("%s:%d: %s", relative(at.Filename), at.Line, fmt.Sprintf(format, args...)))
}

// relative is a path as seen from the working directory.
func relative(path string) string {
	if wd, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(wd, path); err == nil {
			return short
		}
	}
	return path
}

// want counts an exported name and complains when it is not documented.
func (c *checker) want(name *ast.Ident, kind string, documented bool) {
	if !name.IsExported() {
		return
	}
	c.names++
	if !documented {
		c.complain(name.Pos(), "%s %s is not documented", kind, name.Name)
	}
}

// said tells whether one of the comments says something.
func said(groups ...*ast.CommentGroup) bool {
	return slices.ContainsFunc(groups, func(g *ast.CommentGroup) bool {
		return g != nil && strings.TrimSpace(g.Text()) != ""
	})
}

// declaration checks a top-level declaration.
func (c *checker) declaration(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || receiverExported(d.Recv) {
			c.want(d.Name, "func", said(d.Doc))
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				c.want(s.Name, "type", said(s.Doc, s.Comment) || !d.Lparen.IsValid() && said(d.Doc))
				if s.Name.IsExported() {
					c.members(s)
				}
			case *ast.ValueSpec: // a comment over the group documents all in it
				for _, name := range s.Names {
					c.want(name, d.Tok.String(), said(d.Doc, s.Doc, s.Comment))
				}
			}
		}
	}
}

// receiverExported tells whether a method's type is exported.
func receiverExported(recv *ast.FieldList) bool {
	t := recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// members checks the methods of an interface.
func (c *checker) members(s *ast.TypeSpec) {
	if t, ok := s.Type.(*ast.InterfaceType); ok {
		for _, method := range t.Methods.List {
			for _, name := range method.Names {
				c.want(name, s.Name.Name+"'s method", said(method.Doc, method.Comment))
			}
		}
	}
}
