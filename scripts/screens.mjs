// @ts-check
// Writes docs/SCREENS.md: what a terminal shows, after npm run build. It needs tmux.
import { runTypeScript } from "./build/run-typescript.mjs";

await runTypeScript("test/support/terminal/take-screens.ts");
