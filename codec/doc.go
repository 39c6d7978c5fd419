// Package codec reads and writes what Zeek nodes put into cluster messages:
// batches of log writes (zeek-bin-serializer), which it also turns into the
// TSV and JSON text of Zeek's ASCII writer, and events (broker-bin-v1 and
// broker-json-v1), which it maps to and from Go values.
//
// # Logs
//
// [Batch] reads a batch: its header, fields and records. [BatchWriter] writes
// one. [Formatter] turns batches into the lines of a log file.
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
// src/threading/formatters, src/logging/writers/ascii and src/util.cc for
// text. Doubles in JSON follow F. Loitsch, "Printing floating-point numbers
// quickly and accurately with integers" (2010), with RapidJSON's choices.
//
// # Files in reading order
//
//   - errors.go, type.go, port.go: what all formats share
//   - log_batch.go, log_records.go, log_value.go: reading a batch
//   - log_writer.go: writing one
//   - text_options.go, text_formatter.go: from batch to text
//   - tsv_record.go, tsv_escape.go: TSV lines
//   - json_log.go, json_log_escape.go, json_log_time.go: JSON lines
//   - text_number.go, text_addr.go, double_grisu.go, double_fixed.go: numbers and addresses
package codec
