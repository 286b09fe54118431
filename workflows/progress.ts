import { setCurrentDetails } from '@temporalio/workflow';
import { brief, longest } from '../domain/brief.js';

/** What operators read in the Temporal UI while a run goes on: a line for each role. */
export function roleProgress(roles: readonly { name: string }[]): (role: string, text: string) => void {
  const lines = new Map(roles.map(({ name }) => [name, 'waits']));
  return (role, text) => {
    lines.set(role, brief(text, longest.vm));
    setCurrentDetails([...lines].map(([name, line]) => `- role **${name}**: ${line}`).join('\n'));
  };
}
