/** Limits of numbers that both the flags of the command line and the options of the library have. */
/** Blobs that are copied at once. */
export const DEFAULT_CONCURRENCY = 6;
export const MAX_CONCURRENCY = 64;
export const MAX_RETRIES = 100;
export const MAX_TIMEOUT_SECONDS = 86_400;
/** Bytes per second of `--limit-rate`. Below this rate, a single read takes longer than most servers wait. */
export const MIN_LIMIT_RATE = 1024;
