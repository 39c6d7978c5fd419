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
// [EventView] reads an event in place, [Event] holds one as a tree of values,
// [EventBuilder] writes one, and [Converter] turns one format into the other
// without either. [EventType] maps events to and from Go structs.
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
// src/util.cc for text; src/cluster/serializer/broker for events, with Broker's
// format/bin.hh and format/json.hh. Doubles in JSON follow F. Loitsch, "Printing
// floating-point numbers quickly and accurately with integers" (2010), with
// RapidJSON's choices.
//
// # Files in reading order
//
//   - errors.go, type.go, port.go: what all formats share
//   - log_batch.go, log_records.go, log_value.go: reading a batch
//   - log_writer.go, log_writer_values.go: writing one
//   - text_options.go, text_formatter.go: from batch to text
//   - tsv_style.go, tsv_record.go, tsv_value.go, tsv_escape.go: TSV lines
//   - json_log.go, json_log_record.go, json_log_value.go, json_log_escape.go,
//     json_log_time.go: JSON lines
//   - text_judge.go, text_payload.go, text_number.go, text_addr.go: what both
//     need, and how numbers and addresses are written
//   - double_grisu.go, double_powers.go, double_fixed.go, tsv_double.go: doubles
//   - broker_kind.go, broker_bin.go, broker_order.go: values of events in binary
//   - broker_json_*.go, broker_parse*.go, broker_scalar.go, broker_decimal.go,
//     broker_converter.go: the same in JSON, and from one to the other
//   - event_view.go, event_data.go, event_text.go: reading events in place
//   - value.go, value_codec.go, event.go, event_builder.go: values on their own,
//     and writing events
//   - govalue.go, govalue_*.go: Go values
package codec
