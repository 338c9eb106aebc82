import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { SyntheticShape } from "./synthetic-shape.ts";

/** A layer as its manifest and its config name it. */
export interface SyntheticLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly diffId: string;
  /** Absent for a layer of zeros, and for one that nothing is behind. */
  readonly bytes?: Buffer;
}

const LAYER = "application/vnd.oci.image.layer.v1.tar";
const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);
const ZEROS = Buffer.alloc(1024 * 1024);

/** Layers from their names alone. */
export class SyntheticLayers {
  readonly #shape: SyntheticShape;
  readonly #header: Buffer;
  /** Digests of ever more zeros; each continues the hash of the one before it. */
  readonly #zeros: string[] = [];
  #hashed = createHash("sha256");

  constructor(shape: SyntheticShape) {
    this.#shape = shape;
    this.#header = tarHeader(shape.layerBytes);
  }

  /** @param name short; the same name gives the same layer. @param number of the layer among all of the registry. */
  layer(name: string, number: number): SyntheticLayer {
    const { layerKind, layerBytes } = this.#shape;
    if (layerKind === "gzip") return this.#gzip(name);
    if (layerKind === "formula") {
      return { mediaType: `${LAYER}+gzip`, digest: sha256(name), size: layerBytes, diffId: sha256(`tar ${name}`) };
    }
    const digest = this.#digestOfZeros(number);
    return { mediaType: LAYER, digest, size: this.#sizeOfZeros(number), diffId: digest };
  }

  /** Nothing shrinks in a stored block, and it costs no time. */
  #gzip(name: string): SyntheticLayer {
    const { layerBytes } = this.#shape;
    const file = Buffer.alloc(Math.ceil(layerBytes / BLOCK) * BLOCK);
    file.fill(`${name}\n`, 0, layerBytes);
    const tar = Buffer.concat([this.#header, file, END]);
    const bytes = Buffer.concat([GZIP_HEADER, ...storedBlocks(tar), gzipTrailer(tar)]);
    return { mediaType: `${LAYER}+gzip`, digest: sha256(bytes), size: bytes.length, diffId: sha256(tar), bytes };
  }

  #sizeOfZeros(number: number): number {
    return (Math.ceil(this.#shape.layerBytes / BLOCK) + number + 2) * BLOCK;
  }

  #digestOfZeros(number: number): string {
    for (let next = this.#zeros.length; next <= number; next += 1) {
      const before = next === 0 ? 0 : this.#sizeOfZeros(next - 1);
      for (let left = this.#sizeOfZeros(next) - before; left > 0; left -= ZEROS.length) {
        this.#hashed.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
      }
      this.#zeros.push(`sha256:${this.#hashed.copy().digest("hex")}`);
    }
    return this.#zeros[number] ?? "";
  }
}

/** @param end behind the last byte */
export function* zeros(start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end; at += ZEROS.length) yield ZEROS.subarray(0, Math.min(end - at, ZEROS.length));
}

export function sha256(bytes: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const MAX_STORED = 0xffff;

function storedBlocks(bytes: Buffer): readonly Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MAX_STORED) {
    const part = bytes.subarray(at, at + MAX_STORED);
    const head = Buffer.alloc(5);
    head.writeUInt8(at + part.length === bytes.length ? 1 : 0, 0);
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(~part.length & 0xffff, 3);
    blocks.push(head, part);
  }
  return blocks;
}

function gzipTrailer(bytes: Buffer): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length, 4);
  return trailer;
}

function tarHeader(size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write("data", 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
