/** Of MongoDB's answers: the write itself is at fault (its shape, or its size), and is so the next time. */
const codes = [2, 9, 14, 28, 40, 52, 57, 66, 121, 10334, 17419, 17420];
/** Errors of the driver and of BSON that say the same before anything is sent. */
const names = ['BSONError', 'BSONRuntimeError', 'MongoBSONError', 'MongoInvalidArgumentError', 'MongoAPIError'];
/** Faults of a program. One with a cause is another's failure told on, such as that of a connection. */
const faults = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'];

/** Whether what a step failed with does not pass by itself, as the loss of a connection or a full disk does. */
export function isLastingFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (names.includes(error.name)) return true;
  if ('code' in error && typeof error.code === 'number' && codes.includes(error.code)) return true;
  return faults.includes(error.name) && error.cause === undefined;
}
