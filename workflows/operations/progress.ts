import { setCurrentDetails } from '@temporalio/workflow';
import { brief, longest } from '../../domain/brief.js';
import { progressText } from '../../domain/operations/progress-text.js';
import { moment } from './moment.js';

/** What operators read in the Temporal UI while a run goes on: where each role stands. Said once for all of a moment. */
export function roleProgress(roles: readonly { name: string }[]): (role: string, text: string) => void {
  const lines = new Map(roles.map(({ name }) => [name, 'waits']));
  let isStale = false;
  return (role, text) => {
    lines.set(role, brief(text, longest.vm));
    if (isStale) return;
    isStale = true;
    void moment().then(() => {
      isStale = false;
      setCurrentDetails(progressText(lines));
    });
  };
}
