// Raw tar bytes, legal or not: every header field can be set to anything, the checksum is made right at the end.
import type { TarFile } from "../../src/tar/read-window.ts";

export interface TarFields {
  readonly name?: string | Uint8Array;
  /** One character, or the byte itself. */
  readonly type?: string | number;
  readonly body?: string | Uint8Array;
  /** What the header says; the body's length unless given. */
  readonly size?: number;
  /** The twelve size bytes as they stand. */
  readonly sizeField?: string | Uint8Array;
  readonly linkName?: string | Uint8Array;
  readonly magic?: "posix" | "gnu" | "v7" | Uint8Array;
  readonly prefix?: string;
  /** Bytes put over the header, by offset, before the checksum is made. */
  readonly patches?: Readonly<Record<number, string | Uint8Array>>;
  /** Eight bytes in place of the right checksum. */
  readonly checksumField?: string;
}

const MAGICS = { posix: "ustar\x0000", gnu: "ustar  \0", v7: "\0\0\0\0\0\0\0\0" };

function toBytes(text: string | Uint8Array): Buffer {
  return typeof text === "string" ? Buffer.from(text, "utf8") : Buffer.from(text.buffer, text.byteOffset, text.length);
}

/** One header with its padded body. */
export function tarEntry(fields: TarFields): Uint8Array {
  const { type = "0", magic = "posix" } = fields;
  const body = toBytes(fields.body ?? "");
  const block = Buffer.alloc(512);
  const put = (offset: number, limit: number, value: string | Uint8Array): void => {
    block.set(toBytes(value).subarray(0, limit), offset);
  };
  put(0, 100, fields.name ?? "file");
  put(100, 24, "0000644\x000000000\x000000000\0");
  put(124, 12, fields.sizeField ?? `${(fields.size ?? body.length).toString(8).padStart(11, "0")}\0`);
  put(136, 12, "00000000000\0");
  put(148, 8, "        ");
  block[156] = typeof type === "number" ? type : type.charCodeAt(0);
  put(157, 100, fields.linkName ?? "");
  put(257, 8, typeof magic === "string" ? MAGICS[magic] : magic);
  put(345, 155, fields.prefix ?? "");
  for (const [offset, value] of Object.entries(fields.patches ?? {})) put(Number(offset), 512, value);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, 8, fields.checksumField ?? `${sum.toString(8).padStart(6, "0")}\0 `);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** The entries and `endBlocks` zero blocks. */
export function tarArchive(entries: readonly Uint8Array[], endBlocks = 2): Uint8Array {
  return Buffer.concat([...entries, Buffer.alloc(512 * endBlocks)]);
}

/** `<length> <key>=<value>\n` with its length right. */
export function paxRecord(key: string, value: string | Uint8Array): Uint8Array {
  const rest = Buffer.concat([toBytes(` ${key}=`), toBytes(value), toBytes("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([toBytes(String(length)), rest]);
}

/** An extended header (`x`, or `g` with `type`) with these records. */
export function paxEntry(records: Readonly<Record<string, string | Uint8Array>>, type = "x"): Uint8Array {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return tarEntry({ name: "PaxHeaders/file", type, body });
}

/** A GNU long name (`L`) or long link target (`K`). */
export function gnuLong(text: string, type: "L" | "K" = "L"): Uint8Array {
  return tarEntry({ name: "././@LongLink", type, magic: "gnu", body: `${text}\0` });
}

/** An archive in memory; `maxRead` makes every read a short one, `reads` records what was asked for. */
export function memoryTar(
  bytes: Uint8Array,
  maxRead: number = Infinity,
): TarFile & { readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    size: bytes.length,
    reads,
    read(target, position) {
      const part = bytes.subarray(position, position + Math.min(target.length, maxRead));
      target.set(part);
      reads.push([position, part.length]);
      return Promise.resolve(part.length);
    },
  };
}
