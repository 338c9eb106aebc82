// Deadlines never pass while tests run: they must not depend on the speed of the machine. vitest.config.ts runs this
// before each test file. A test of a deadline replaces AbortSignal.timeout itself.
AbortSignal.timeout = () => new AbortController().signal;
