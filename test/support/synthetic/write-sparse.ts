// The program of the bench: writes an archive to PATH, of a KIND of shape and a size.
import { fewBlobs, largeLayers, manyBlobs, type SparseShape, writeSparseArchive } from "./sparse-archive.ts";

const KINDS: ReadonlyMap<string, (size: number) => SparseShape> = new Map([
  ["few", fewBlobs],
  ["many", manyBlobs],
  ["large", largeLayers],
]);

const [path = "", kind = "", size = ""] = process.argv.slice(2);
const shape = KINDS.get(kind);
if (shape === undefined) throw new Error(`Cannot write archive: found kind ${kind}, expected few, many or large`);
await writeSparseArchive(path, shape(Number(size)));
