// @ts-check
// Writes docs/pictures/terminal.svg from a real run, after npm run build. It needs tmux and docker.
import { runTypeScript } from "./build/run-typescript.mjs";

await runTypeScript("test/support/terminal/take-picture.ts");
