/** Limits of numbers that both the flags of the command line and the options of the library have. */
export const MAX_CONCURRENCY = 64;
export const MAX_RETRIES = 100;
export const MAX_TIMEOUT_SECONDS = 86_400;
/** Below this rate, a single read takes longer than most servers wait. */
export const MIN_BYTES_PER_SECOND = 1024;
