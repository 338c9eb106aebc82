// @ts-check

/**
 * What a runtime has in it, by its own list (LICENSE.md of bun 1.4): name, SPDX licence, where its sources are.
 * @type {readonly (readonly [name: string, license: string, source: string])[]}
 */
export const RUNTIME_PARTS = [
  ["JavaScriptCore and WebCore of WebKit", "LGPL-2.0-or-later", "https://github.com/oven-sh/WebKit"],
  ["tinycc", "LGPL-2.1-or-later", "https://github.com/tinycc/tinycc"],
  ["boringssl", "Apache-2.0 AND ISC AND OpenSSL", "https://boringssl.googlesource.com/boringssl"],
  ["brotli", "MIT", "https://github.com/google/brotli"],
  ["libarchive", "BSD-2-Clause", "https://github.com/libarchive/libarchive"],
  ["lol-html", "BSD-3-Clause", "https://github.com/cloudflare/lol-html"],
  ["ls-hpack", "MIT", "https://github.com/litespeedtech/ls-hpack"],
  ["ls-qpack", "MIT", "https://github.com/litespeedtech/ls-qpack"],
  ["lsquic", "MIT AND BSD-3-Clause", "https://github.com/litespeedtech/lsquic"],
  ["mimalloc", "MIT", "https://github.com/microsoft/mimalloc"],
  ["picohttpparser", "MIT", "https://github.com/h2o/picohttpparser"],
  ["zstd", "BSD-3-Clause", "https://github.com/facebook/zstd"],
  ["simdutf", "Apache-2.0", "https://github.com/simdutf/simdutf"],
  ["uSockets", "Apache-2.0", "https://github.com/uNetworking/uSockets"],
  ["uWebSockets", "Apache-2.0", "https://github.com/uNetworking/uWebSockets"],
  ["zlib-ng", "Zlib", "https://github.com/zlib-ng/zlib-ng"],
  ["c-ares", "MIT", "https://github.com/c-ares/c-ares"],
  ["ICU", "Unicode-3.0", "https://github.com/unicode-org/icu"],
  ["base64", "BSD-2-Clause", "https://github.com/aklomp/base64"],
  ["libuv", "MIT", "https://github.com/libuv/libuv"],
  ["libdeflate", "MIT", "https://github.com/ebiggers/libdeflate"],
  ["libjpeg-turbo", "BSD-3-Clause AND IJG AND Zlib", "https://github.com/libjpeg-turbo/libjpeg-turbo"],
  ["libspng", "BSD-2-Clause", "https://github.com/randy408/libspng"],
  ["libwebp", "BSD-3-Clause", "https://github.com/webmproject/libwebp"],
  ["highway", "Apache-2.0", "https://github.com/google/highway"],
  ["uucode", "MIT", "https://github.com/jacobsandlund/uucode"],
  ["TigerBeetle (parts)", "Apache-2.0", "https://github.com/tigerbeetle/tigerbeetle"],
  ["LLVM libc++abi (parts)", "Apache-2.0 WITH LLVM-exception", "https://github.com/llvm/llvm-project"],
  ["Node.js polyfills (acorn, assert, buffer, …)", "MIT", "https://github.com/oven-sh/bun"],
];
