// Package codec reads and writes what Zeek nodes put into cluster messages:
// batches of log writes (zeek-bin-serializer), which it also turns into the
// TSV and JSON text of Zeek's ASCII writer, and events (broker-bin-v1 and
// broker-json-v1), which it maps to and from Go values.
//
// # Logs
//
// [Batch] reads a batch: its header, fields and records. [BatchWriter] writes
// one value by value, [LogStream] whole Go structs. [Formatter] turns batches
// into the lines of a log file.
//
// # Events
//
// [EventView] reads an event in place: name, arguments as [DataView], metadata.
// [Event] and [Data] hold the same on their own. [EventBuilder] writes an event
// value by value. [Converter] turns broker-bin-v1 into broker-json-v1 and back.
//
// # Go values
//
// [EventType] declares an event by a struct of its arguments, [LogStream] a log
// by a struct of its columns; [AppendEventArgs] and [EventView.Scan] do without
// a declaration. What does not fit is a [*ValueError].
//
// How Go types stand for Zeek's, in events and in logs:
//
//	Go                              Zeek      in an event   in a log
//	bool                            bool      boolean       bool
//	int, int8 ... int64             int       integer       int
//	uint, uint8 ... uint64          count     count         count
//	float32, float64                double    real          double
//	string, []byte                  string    string        string
//	Enum, or a string tagged enum   enum      enum-value    enum
//	netip.Addr                      addr      address       addr
//	netip.Prefix                    subnet    subnet        subnet
//	Port                            port      port          port
//	time.Time                       time      timestamp     time
//	time.Duration                   interval  timespan      interval
//	[]T                             vector    vector        vector[T]
//	Set[T], map[T]struct{},         set       set           set[T]
//	  []T tagged set
//	map[K]V                         table     table         -
//	struct                          record    vector        its fields, a.b
//	*T                              &optional none if nil   unset if nil
//	Data, DataView, any             any       anything      -
//
// Types defined from these count as them. A set or table with several index
// types has a struct as element or key.
//
// Struct fields may carry a tag: zeek:"id.orig_h,optional". The name is the
// log's column (or its part; see [LogStream]) and without meaning in events,
// which go by position; left out, it is the Go name in lower case with
// underscores. "-" leaves the field out. Behind the name:
//
//   - optional: the field is &optional, and its Go zero value means unset. A
//     pointer is optional in any case and can tell zero from unset.
//   - enum: a string is an enum value.
//   - set: a slice is a set.
//
// Fields of an embedded struct without a name in its tag stand in its place.
//
// # Rules that hold everywhere
//
// Nothing that comes from outside is trusted: lengths are checked before use,
// counts against the bytes that are there, nesting against [MaxDepth]. Input
// with a defect is refused whole with an [*Error] that says where and why, and
// no input makes the package panic. Reading, formatting and appending to the
// caller's buffer allocate nothing once buffers have grown, errors included.
// Views point into the caller's payload and live as long as it does.
// No type here may be used by two goroutines at once unless it says so.
//
// # Sources
//
// Zeek at commit a13de64: src/cluster/serializer/binary-serialization-format,
// src/SerializationFormat.cc and src/threading/SerialTypes.cc for batches;
// src/threading/formatters, src/logging/writers/ascii, src/Desc.cc and
// src/util.cc for text. Doubles in JSON follow F. Loitsch, "Printing floating-point numbers
// quickly and accurately with integers" (2010), with RapidJSON's choices.
// Events: Broker at commit 7cc7a56, libbroker/broker/format/{bin,json}.hh,
// zeek.hh and variant_data.cc; of CAF what packs reals and parses JSON;
// Zeek's src/broker/Data.cc for how script values travel.
//
// # Files in reading order
//
//   - errors.go, type.go, port.go: what all formats share
//   - log_batch.go, log_records.go, log_value.go: reading a batch
//   - log_writer.go, log_writer_values.go: writing one
//   - text_options.go, text_formatter.go: from batch to text
//   - tsv_style.go, tsv_record.go, tsv_value.go, tsv_escape.go: TSV lines
//   - json_log.go, json_log_record.go, json_log_value.go, json_log_escape.go, json_log_time.go: JSON lines
//   - text_judge.go, text_payload.go, text_number.go, text_addr.go: what both need
//   - double_grisu.go, double_powers.go, double_short.go, double_fixed.go,
//     tsv_double.go: doubles
//   - broker_kind.go, broker_bin.go, broker_order.go, broker_real.go: values of events as bytes, and their order
//   - event_view.go, event_data.go: reading an event in place
//   - event.go, value.go, value_codec.go: events and values on their own
//   - event_builder.go, event_text.go: writing events; text for people
//   - broker_converter.go: JSON and back, with broker_json_write.go, broker_scalar.go for the one way
//     and broker_json_lex.go, broker_json_read.go, broker_json_container.go, broker_parse*.go, broker_decimal.go for the other
//   - govalue.go, govalue_type.go: Go types and Zeek's
//   - govalue_event.go, govalue_encode.go, govalue_decode.go: Go values in events
//   - govalue_log.go, govalue_log_write.go, govalue_log_read.go: Go values in logs
package codec
