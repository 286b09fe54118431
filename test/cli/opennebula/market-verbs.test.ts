import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataApp } from '../../../api/native/market/apps-examples.js';
import { corporate } from '../../../api/native/market/marketplaces-examples.js';
import { data } from '../../../api/native/storage/images-examples.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { page } from '../stub-objects.js';
import { deployment } from '../stub-operation.js';
import { runCommand } from './run-one.js';

const open = { ...corporate, id: 0, name: 'OpenNebula Public', market_mad: 'one' as const, http: null };
const publicOne = { ...open, one: { endpoint: null } };
const capacity = { total: 1_024, used: 256, free: 768 };
const filled = { ...corporate, capacity };
const s3 = {
  ...{ bucket: 'opennebula-market', region: 'default', endpoint: 'http://ceph-gw.opennebula.org' },
  ...{ force_path_style: true, access_key: 'I0PJDPICIYZ665MW88W9R', total_mb: 1_048_576, read_length: 32 },
  signature_version: 's3' as const,
};
const inS3 = { ...corporate, id: 101, name: 'S3CephMarket', market_mad: 's3' as const, http: null, s3 };
const warned = { ...inS3, warnings: ['Requests are signed by version 4.'] };
const tty = {
  ...{ ...dataApp, id: 7, name: 'ttylinux - kvm', market_id: 0, size_mb: 40, origin_id: -1, tags: ['linux', '4.8'] },
  ...{ app_template: { DEV_PREFIX: 'hd' }, vm_template: { CPU: '0.1', GRAPHICS: { TYPE: 'vnc' } } },
};
const accepted = deployment({
  ...{ type: 'exportApp', state: 'accepted' },
  resource: { type: 'image', id: 8, name: 'from_t1app', href: '/api/v1/images/8' },
});

let api: StubApi;
let directory: string;
beforeEach(async () => {
  api = await startStubApi();
  directory = mkdtempSync(join(tmpdir(), 'onemarket-'));
  api.on('GET /marketplaces', page(publicOne, filled));
  api.on('GET /marketplaces/100', { body: filled });
  api.on('GET /marketplaces/101', { body: inS3 });
  api.on('GET /marketplace-apps', page(tty));
  api.on('GET /marketplace-apps/7', { body: tty });
  api.on('GET /images', page(data));
  api.on('GET /images/0', { body: data });
  api.on('POST /marketplaces', { status: 201, body: warned });
  api.on('POST /marketplace-apps', { status: 202, body: accepted });
  api.on('POST /marketplace-apps/7/export', { status: 202, body: { ...accepted, vm_template_id: 3 } });
  api.on('PATCH /marketplace-apps/7', { body: tty });
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await api.stop();
});

const run = (line: string) => runCommand(line, api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path, body }) => (method === 'GET' ? [] : [[method, path, body && JSON.parse(body)]]));
function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe('onemarket', () => {
  it('lists marketplaces, and how many apps are in each', async () => {
    expect((await run('onemarket list')).out).toBe(
      [
        '  ID NAME                      SIZE AVAIL      APPS MAD      ZONE',
        '   0 OpenNebula Public           0K -             1 one         0',
        ' 100 corporate                   1G 75%           0 http        0',
        '',
      ].join('\n'),
    );
  });

  it('makes one of the guide’s file, whose secret it shows nowhere, and says what is not done as it says', async () => {
    const conf = file(
      'market.conf',
      [
        'NAME=S3CephMarket\nACCESS_KEY_ID="I0PJDPICIYZ665MW88W9R"',
        'SECRET_ACCESS_KEY="dxaXZ8U90SXydYzyS5ivamEP20hkLSUViiaR"\nBUCKET="opennebula-market"',
        'ENDPOINT="http://ceph-gw.opennebula.org"\nFORCE_PATH_STYLE="YES"',
        'MARKET_MAD=s3\nREGION="default"\nSIGNATURE_VERSION=s3\nTOTAL_MB=2048\nREAD_LENGTH=10\n',
      ].join('\n'),
    );
    expect(await run(`onemarket create ${conf}`)).toMatchObject({
      ...{ out: 'ID: 101\n', err: 'Requests are signed by version 4.\n', code: 0 },
    });
    expect(sent()).toEqual([
      [
        'POST',
        '/marketplaces',
        {
          ...{ name: 'S3CephMarket', market_mad: 's3' },
          s3: {
            ...{ bucket: 'opennebula-market', region: 'default', endpoint: 'http://ceph-gw.opennebula.org' },
            ...{ access_key: 'I0PJDPICIYZ665MW88W9R', secret_key: 'dxaXZ8U90SXydYzyS5ivamEP20hkLSUViiaR' },
            ...{ signature_version: 's3', force_path_style: true, total_mb: 2_048, read_length: 10 },
          },
        },
      ],
    ]);
    const { out } = await run('onemarket show 101');
    expect(out).toContain('READ_LENGTH="32"');
    expect(out).not.toContain('SECRET');
  });

  it('makes one behind a web server, and refuses what would be written elsewhere', async () => {
    const text = 'NAME = PrivateMarket\nMARKET_MAD = http\nBASE_URL = "http://frontend/"\nPUBLIC_DIR = "/var/market"\n';
    await run(`onemarket create ${file('a.conf', text)}`);
    expect(sent()[0]?.[2]).toEqual({
      ...{
        name: 'PrivateMarket',
        market_mad: 'http',
        http: { base_url: 'http://frontend/', public_dir: '/var/market' },
      },
    });
    const bridged = await run(`onemarket create ${file('b.conf', `${text}BRIDGE_LIST = "web"\n`)}`);
    expect([bridged.code === 0, bridged.err]).toEqual([false, expect.stringMatching(/BRIDGE_LIST is not known/)]);
  });
});

describe('onemarketapp', () => {
  it('lists apps in the columns of OpenNebula 5.0', async () => {
    expect((await run('onemarketapp list')).out).toBe(
      [
        '  ID NAME                      VERSION  SIZE STAT TYPE REGTIME  MARKET',
        '   7 ttylinux - kvm            1.0       40M rdy  img  05/04/26 OpenNebula Public',
        '',
      ].join('\n'),
    );
  });

  it('shows one, with what comes with an export', async () => {
    const { out } = await run('onemarketapp show 7');
    expect(out).toMatch(/^MARKETPLACE APP 7 INFORMATION\nID {13}: 7\nNAME {11}: ttylinux - kvm\nTYPE {11}: IMAGE\n/);
    expect(out).toMatch(/MARKETPLACE {4}: OpenNebula Public\nSTATE {10}: rdy\n/);
    expect(out).toContain('IMPORT TEMPLATE\nDEV_PREFIX="hd"\n');
    expect(out).toContain('TAGS="linux, 4.8"\n');
    const [, coded = ''] = /VMTEMPLATE64="([^"]+)"/.exec(out) ?? [];
    expect(Buffer.from(coded, 'base64').toString()).toBe('CPU="0.1"\nGRAPHICS=[\n  TYPE="vnc" ]');
  });

  it.each(['', '64'])(
    'publishes of template text whose templates are in VMTEMPLATE%s and APPTEMPLATE%s',
    async (suffix) => {
      const coded = (text: string) => Buffer.from(text).toString('base64');
      const text = [
        `NAME=TTYlinux\nORIGIN_ID=0\nTYPE=image\nVERSION="1.2"\nTAGS="linux, small"`,
        `VMTEMPLATE${suffix}="${coded('CPU=1\nMEMORY=64\n')}"\nAPPTEMPLATE${suffix}="${coded('DEV_PREFIX="vd"\n')}"\n`,
      ].join('\n');
      expect(await run(`onemarketapp create ${file('app.tpl', text)} -m corporate`)).toMatchObject({ out: 'ID: 8\n' });
      expect(sent()).toEqual([
        [
          'POST',
          '/marketplace-apps',
          {
            ...{ name: 'TTYlinux', market_id: 100, image_id: 0, version: '1.2', tags: ['linux', 'small'] },
            ...{ app_template: { DEV_PREFIX: 'vd' }, vm_template: { CPU: '1', MEMORY: '64' } },
          },
        ],
      ]);
    },
  );

  it('prints the ids of image and VM template at once', async () => {
    expect((await run('onemarketapp export 7 from_t1app --vmname tty')).out).toBe(
      'IMAGE\n  ID: 8\nVMTEMPLATE\n  ID: 3\n',
    );
    expect(sent()).toEqual([['POST', '/marketplace-apps/7/export', { name: 'from_t1app', vm_template_name: 'tty' }]]);
  });

  it('enables and disables', async () => {
    await run('onemarketapp disable 7');
    await run('onemarketapp enable 7');
    expect(sent().map(([, , body]) => body)).toEqual([{ state: 'disabled' }, { state: 'enabled' }]);
  });
});
