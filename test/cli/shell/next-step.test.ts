import { describe, expect, it } from 'vitest';
import { nextStep, sentenceOf } from '../../../cli/shell/next-step.js';
import type { ProblemBody } from '../../../schemas/common/problem.js';

const problem = (status: number, code: string, detail = 'It is so.'): ProblemBody => ({
  ...{ type: `/problems/${code}`, title: code, status, detail, instance: '/', request_id: 'r' },
});
const next = (body: ProblemBody, path: string, method = 'POST') => nextStep(body, { method, path, typed: false });

describe('what to do after a refusal', () => {
  it('an image whose name is taken is looked for among images, though a disk of a VM was saved', () => {
    expect(next(problem(409, 'name_taken'), '/vms/12/disks/0/save')).toContain('arcus image list');
    expect(next(problem(409, 'name_taken'), '/vms/12')).toContain('arcus vm list');
  });

  it('what is in the way where nothing has a number yet is nothing to correct', () => {
    const told = next(problem(409, 'in_use'), '/vms');
    expect(told).toBe('Nothing has been changed. Try again when what is told above has changed.');
    expect(next(problem(400, 'invalid_request'), '/vms')).toContain('Correct it');
  });

  it.each([
    ['/groups/5', 'Group 5 (dev) has 2 virtual networks. Give that to another group first.', 'arcus network list'],
    [
      '/groups/5',
      'Group 5 (dev) has 1 VM template, 1 image. Give that to another group first.',
      'arcus vm-template list',
    ],
    ['/users/3', 'User 3 (alice) owns 1 VM. Delete that, or give it to somebody else, first.', 'arcus vm list'],
    ['/groups/5', 'Group 5 (dev) is the primary group of 2 of them.', 'arcus group show 5'],
  ])('of %s, of which it is told that %s', (path, detail, command) => {
    expect(next(problem(409, 'in_use', detail), path, 'DELETE')).toMatch(new RegExp(`${command}$`));
  });

  it('another version of a protocol is no change by somebody else', () => {
    const detail = 'Send the header Tus-Resumable: 1.0.0.';
    const refused = problem(412, 'protocol_version', detail);
    expect(sentenceOf(refused, { path: '/images/7/upload' })).toBe(detail);
    expect(sentenceOf(problem(412, 'precondition_failed'), { path: '/images/7' })).toContain('has been changed');
  });
});
