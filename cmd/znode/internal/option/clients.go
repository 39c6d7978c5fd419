package option

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/znode/znode/sockets/curve"
)

// Client is one table [[clients]]: who may enter, and what it may do.
type Client struct {
	Name               string
	PublicKey          curve.Public
	Publish, Subscribe []string // prefixes of topics; "" is all
	Log                bool
}

// clientList is the kind of a []Client. It has no form as text but that of an
// array of inline tables, which the file takes too.
var clientList = func() Kind {
	k := NewKind("TABLES", "tables [[clients]] with name, public_key, publish, subscribe and log",
		func(string) ([]Client, error) { return nil, errWant }, formatClients)
	k.Literal = true
	k.FromTree = func(dst, tree any) error {
		tables, ok := tablesOf(tree)
		if !ok {
			return errWant
		}
		list, err := parseClients(tables)
		if err == nil {
			*dst.(*[]Client) = list
		}
		return err
	}
	return k
}()

// tablesOf takes both forms of an array of tables: [[clients]] and [{...}].
func tablesOf(tree any) ([]map[string]any, bool) {
	switch array := tree.(type) {
	case []map[string]any:
		return array, true
	case []any:
		tables := make([]map[string]any, len(array))
		for i, element := range array {
			table, ok := element.(map[string]any)
			if !ok {
				return nil, false
			}
			tables[i] = table
		}
		return tables, true
	}
	return nil, false
}

func parseClients(tables []map[string]any) ([]Client, error) {
	list := make([]Client, 0, len(tables))
	names, keys := map[string]bool{}, map[curve.Public]string{}
	for i, table := range tables {
		c, err := parseClient(table)
		where := "client " + strconv.Itoa(i+1)
		if c.Name != "" {
			where += " (" + c.Name + ")"
		}
		if err == nil {
			switch {
			case names[c.Name]:
				err = errors.New("name: another client has it")
			case keys[c.PublicKey] != "":
				err = fmt.Errorf("public_key: client %s has it too", keys[c.PublicKey])
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		names[c.Name], keys[c.PublicKey] = true, c.Name
		list = append(list, c)
	}
	return list, nil
}

// clientFields are the keys of a table, in the order in which they are told.
var clientFields = []string{"name", "public_key", "publish", "subscribe", "log"}

func parseClient(table map[string]any) (c Client, err error) {
	if text, ok := table["name"].(string); ok && nodeName.set(&c.Name, text) != nil {
		return Client{}, fmt.Errorf("name %s: want %s", Quote(text), nodeName.Allowed)
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if slices.Contains(clientFields, key) {
			continue
		}
		hint := didYouMean("", key, clientFields)
		if hint == "" {
			hint = "; other options stand before the first [[clients]]"
		}
		return c, fmt.Errorf("unknown key %s%s", Printable(key), hint)
	}
	for _, key := range clientFields {
		value, given := table[key]
		if !given {
			if key == "name" || key == "public_key" {
				return c, fmt.Errorf("%s is missing", key)
			}
			continue
		}
		if err := c.set(key, value); err != nil {
			return c, fmt.Errorf("%s: %w", key, err)
		}
	}
	return c, nil
}

// set takes the value of one key.
func (c *Client) set(key string, value any) (err error) {
	text, isText := value.(string)
	switch key {
	case "name": // taken already
		if !isText {
			return errors.New("want text")
		}
	case "public_key":
		if !isText {
			return errors.New("want text")
		}
		c.PublicKey, err = curve.ParsePublic(text)
		err = keyError(err)
	case "publish":
		c.Publish, err = parsePrefixes(value)
	case "subscribe":
		c.Subscribe, err = parsePrefixes(value)
	case "log":
		var isBool bool
		if c.Log, isBool = value.(bool); !isBool {
			return errors.New("want true or false")
		}
	}
	return err
}

// parsePrefixes takes an array of prefixes of topics.
func parsePrefixes(value any) ([]string, error) {
	array, ok := value.([]any)
	if !ok {
		return nil, errors.New(`want an array of prefixes of topics, such as ["sensor.a."]`)
	}
	list := make([]string, 0, len(array))
	for _, element := range array {
		prefix, ok := element.(string)
		if !ok {
			return nil, errors.New("want prefixes that are text")
		}
		if strings.HasSuffix(prefix, "*") {
			return nil, fmt.Errorf("%s: a prefix stands for all that begins with it; leave out the *", Quote(prefix))
		}
		list = append(list, prefix)
	}
	return list, nil
}

// formatClients is what parseClients reads, as an array in TOML; "" for nothing
// given.
func formatClients(list []Client) string {
	if list == nil {
		return ""
	}
	tables := make([]string, len(list))
	for i, c := range list {
		tables[i] = fmt.Sprintf("{name = %s, public_key = %s, publish = %s, subscribe = %s, log = %t}",
			tomlString(c.Name), tomlString(c.PublicKey.String()), tomlStrings(c.Publish), tomlStrings(c.Subscribe), c.Log)
	}
	return "[" + strings.Join(tables, ", ") + "]"
}

func tomlStrings(list []string) string {
	quoted := make([]string, len(list))
	for i, text := range list {
		quoted[i] = tomlString(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
