/**
 * Loaded before any run, once a worker. For each promise that a workflow makes, the SDK writes down where it was made, so that
 * the Temporal UI can show a run's call stack; with ten lines each that was two thirds of what workflows cost. One line is left:
 * an error in a workflow still says where it was thrown.
 */
Error.stackTraceLimit = 1;

export {};
