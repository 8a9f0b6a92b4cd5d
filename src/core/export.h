#pragma once

// Marks what crosses the border of libtorchtrt_runtime.so or libtorchtrt.so. Exceptions need it so
// that every library sees one type_info.
#define TORCHTRT_API __attribute__((visibility("default")))
