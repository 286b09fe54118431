import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
} from '@temporalio/workflow';
import type { ProblemCode } from '../../domain/problems.js';
import { emptying, judging, local, storing } from '../activity-options.js';
import { failureOf, type OperationInput, runOperation } from '../operations/operation.js';
import { listenFor, type News, uploadChanged } from '../signals.js';

/** Makes an image of a file, of an address, of what is sent, or an empty one. What was cancelled leaves nothing; what failed is gone on with. */
export async function createImage(input: OperationInput): Promise<void> {
  const uploads = listenFor(uploadChanged);
  await make(input, 'bring in its bytes', uploads);
}

/** Makes an image that is as another. */
export const cloneImage = (input: OperationInput): Promise<void> => make(input, 'copy its bytes', null);

async function make({ op }: OperationInput, summary: string, uploads: News<null> | null): Promise<void> {
  await runOperation({ op }, local.beginImage, async ({ name, sent }) => {
    try {
      if (sent && uploads) await untilSent(op, name, uploads);
      setCurrentDetails(`image ${name} is being made`);
      await storing.fillImage.executeWithOptions({ summary }, [{ op }]);
    } catch (error) {
      if (!isCancellation(error) && failureOf(error).code !== givenUp) throw error;
      await CancellationScope.nonCancellable(() =>
        emptying.emptyImage.executeWithOptions({ summary: 'remove what there is of it' }, [{ op }]),
      );
      throw error;
    }
    setCurrentDetails(`image ${name} is there`);
  });
}

const givenUp: ProblemCode = 'upload_expired';

/** Resolves when all of it has been sent. Who is told late is told again by reconciliation. */
async function untilSent(op: string, name: string, uploads: News<null>): Promise<void> {
  for (;;) {
    const heard = uploads.count();
    const { verdict, said } = await judging.judgeUpload({ op });
    if (verdict === 'whole') return;
    if (verdict === 'given_up')
      throw ApplicationFailure.nonRetryable(`Nobody has gone on with the upload for an hour: ${said}.`, givenUp);
    setCurrentDetails(`image ${name} waits for its bytes: ${said}`);
    await condition(() => uploads.count() > heard);
  }
}
