// serve-synthetic SHAPE: a synthetic registry in a process of its own, so that what it costs is no client's. SHAPE is JSON.
import { startSynthetic } from "./start-synthetic.ts";
import type { SyntheticShape } from "./synthetic-shape.ts";

const shape = JSON.parse(process.argv[2] ?? "{}") as Partial<SyntheticShape>;
const { host, registry } = await startSynthetic(shape);
// What the first clients ask for is there.
for (let number = 0; number < registry.images.count && number < 20_000; number += 1) registry.images.image(number);
process.stdout.write(`${host}\n`);
