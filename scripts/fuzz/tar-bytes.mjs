// @ts-check
// Headers as bytes, legal or not; nothing here knows the reader under test.
const BLOCK = 512;

/** Header fields by name: first byte and length. */
export const FIELDS = /** @type {const} */ ({
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
  tail: [500, 12],
});

export const MAGICS = /** @type {const} */ ({ posix: "ustar\x0000", gnu: "ustar  \0", v7: "\0\0\0\0\0\0\0\0" });

/** @param {Buffer} block a header, whose checksum is made right. @param {string} [form] */
export function fixChecksum(block, form = "posix") {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += block[at] ?? 0;
  const digits = sum.toString(8);
  const field =
    form === "blanks"
      ? `${digits.padStart(6)}\0 `
      : form === "long"
        ? digits.padStart(8, "0")
        : `${digits.padStart(6, "0")}\0 `;
  block.write(field, 148, "latin1");
}

/** @param {Buffer} block @param {keyof typeof FIELDS} field @param {string | Uint8Array} value */
export function setField(block, field, value) {
  const [start, length] = FIELDS[field];
  const bytes = Buffer.from(/** @type {Uint8Array} */ (typeof value === "string" ? Buffer.from(value, "utf8") : value));
  block.fill(0, start, start + length);
  bytes.copy(block, start, 0, Math.min(length, bytes.length));
}

/** Twelve bytes that mean `size`. @param {number} size @param {string} form */
export function sizeField(size, form) {
  const digits = size.toString(8);
  if (form === "base256") {
    const field = Buffer.alloc(12);
    field[0] = 0x80;
    field.writeUIntBE(size, 6, 6);
    return field;
  }
  if (form === "blanks") return Buffer.from(`${digits.padStart(11)} `);
  if (form === "full") return Buffer.from(digits.padStart(12, "0"));
  if (form === "short") return Buffer.from(`${digits}\0`);
  if (form === "blank-nul") return Buffer.from(`${digits.padStart(10, "0")} \0`);
  return Buffer.from(`${digits.padStart(11, "0")}\0`);
}

/**
 * @param {{ name: string | Uint8Array, type: string, size: number, link?: string | Uint8Array, magic?: keyof typeof MAGICS, sizeForm?: string, prefix?: string }} fields
 */
export function header({ name, type, size, link = "", magic = "posix", sizeForm = "plain", prefix = "" }) {
  const block = Buffer.alloc(BLOCK);
  setField(block, "name", name);
  block.write("0000644\x000000000\x000000000\0", 100, "latin1");
  setField(block, "size", sizeField(size, sizeForm));
  block.write("00000000000\0", 136, "latin1");
  setField(block, "type", type);
  setField(block, "link", link);
  block.write(MAGICS[magic], 257, "latin1");
  if (magic === "posix") setField(block, "prefix", prefix);
  fixChecksum(block);
  return block;
}

/** `<length> <key>=<value>\n` with its length right. @param {string} key @param {string | Uint8Array} value */
export function paxRecord(key, value) {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(/** @type {string} */ (value)), Buffer.from("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** @param {Uint8Array} body */
export function pad(body) {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}
