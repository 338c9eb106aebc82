/** The compiled encoder in base64; `npm run build` makes the module (scripts/build/deflate-wasm.mjs). */
export const DEFLATE_WASM: string;
