// Package oracle reads ZMTP as RFC 23 says it, slowly and in the most obvious way:
// what package sockets makes of any bytes is compared with it. It shares no code
// with what it judges. Only fuzz targets import it.
package oracle
