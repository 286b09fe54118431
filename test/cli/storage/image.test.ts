import { afterEach, beforeEach, expect, it } from 'vitest';
import { data } from '../../../api/native/storage/images-examples.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { page } from '../stub-objects.js';

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /images', page(data));
});
afterEach(() => api.stop());

it('images are listed by their state', async () => {
  const { code } = await runArcus(['image', 'list', '--state', 'ERROR'], api.environment);
  expect(code).toBe(0);
  expect(api.asked.map(({ path }) => decodeURIComponent(path)).join()).toContain('filter=state="ERROR"');
});

it('a datastore without room is no fault of the server', async () => {
  const detail = 'Datastore 102 (small) takes 20 MB: 0 MB are in it, and this takes 30 MB.';
  api.on('POST /images', problem(409, 'datastore_full', detail));
  const { code, err } = await runArcus(['image', 'create', 's', '--empty', '30'], api.environment);
  expect(code).toBe(4);
  expect(err).toBe(
    `arcus: ${detail}\nDelete images that nobody needs, name another datastore, or ask an administrator for more room.\n`,
  );
});
