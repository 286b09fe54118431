import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContextFacts, contextFindings, contextScript, guestContext } from '../../../domain/vms/guest-context.js';
import { limits } from '../../../schemas/common/limits.js';

const facts: ContextFacts = {
  vm: {
    id: 12,
    name: 'web-1',
    template: {
      CPU: 0.5,
      GRAPHICS: { TYPE: 'VNC', KEYMAP: 'a]]>b\u0001' },
      DISK: [{ IMAGE: 'a' }, { IMAGE: 'b', SIZE: 10 }],
    },
    attributes: { CITY: 'Vigo', CPU: 0.5, GRAPHICS: { TYPE: 'VNC' }, DISK: [{ IMAGE: 'a' }, { IMAGE: 'b', SIZE: 10 }] },
  },
  owner: { uid: 3, name: 'alice', attributes: { SSH_PUBLIC_KEY: "ssh-ed25519 AAAA alice's" } },
  images: [
    { IMAGE: 'alpine', IMAGE_ID: '7', NAME: 'alpine', SIZE: '64', RELEASE: '3.20' },
    { IMAGE: 'data', IMAGE_ID: '8', NAME: 'data', SIZE: '128' },
  ],
  nics: [
    {
      NIC_ID: '0',
      NETWORK: 'public',
      IP: '192.0.2.7',
      MAC: '02:00:c0:00:02:07',
      NETWORK_MASK: '255.255.255.0',
      MTU: '1400',
    },
    { NIC_ID: '2', NETWORK: 'private', IP: '10.0.0.9', MAC: '02:00:0a:00:00:09', GATEWAY: '10.0.0.1', DNS: '' },
  ],
};

/** As shells have it. */
const braced = (what: string): string => `$\{${what}}`;

describe('a reference in CONTEXT', () => {
  it.each([
    ['nothing of the kind, 5 $ and a $', 'nothing of the kind, 5 $ and a $'],
    ['$USER[SSH_PUBLIC_KEY]', "ssh-ed25519 AAAA alice's"],
    ['$USER[NO_SUCH]', ''],
    ['$UNAME/$UID on $NAME/$VMID', 'alice/3 on web-1/12'],
    ['in $CITY of $CPU', 'in Vigo of 0.5'],
    ['$TEMPLATES[0] of $list[A], $City[A] and $CITY', '$TEMPLATES[0] of $list[A], Vigo[A] and Vigo'],
    ['$city', 'Vigo'],
    ['$PATH:$HOME/bin', '$PATH:$HOME/bin'],
    [`${braced('CITY')} and $$CITY`, `${braced('CITY')} and $Vigo`],
    ['$NIC[IP]', '192.0.2.7'],
    ['$NIC[IP, NETWORK="private"]!', '10.0.0.9!'],
    ['$NIC[ip,network=private]', '10.0.0.9'],
    ['$NIC[IP, NIC_ID=2]', '10.0.0.9'],
    ['$NIC[IP, NETWORK="elsewhere"]', ''],
    ['$NETWORK[GATEWAY, NETWORK="private"]', '10.0.0.1'],
    ['$IMAGE[RELEASE] of $IMAGE[NAME], $IMAGE[SIZE, IMAGE="data"]', '3.20 of alpine, 128'],
    ['$IMAGE[RELEASE, IMAGE_ID=8]', ''],
    ['$GRAPHICS[TYPE]', 'VNC'],
    ['$DISK[SIZE, IMAGE="b"] of $DISK[IMAGE]', '10 of a'],
    ['$constructor and $USER[constructor]', '$constructor and '],
    [`$list[0] and ${braced('list[@]')}`, `$list[0] and ${braced('list[@]')}`],
  ])('%s', (text, value) => {
    expect(guestContext({ SAID: text }, facts)).toEqual({ SAID: value });
    expect(contextFindings({ SAID: text }, facts.vm.attributes)).toEqual([]);
  });

  it.each([
    '$USER[',
    '$USER[]',
    '$USER[0]',
    '$NIC[IP',
    '$NIC[IP, NETWORK]',
    '$NIC[IP, NETWORK="private]',
    '$NIC[IP NETWORK="a"]',
    '$NIC[IP,]',
  ])('%s is found wrong when it is written, and stays as it is', (text) => {
    expect(contextFindings({ SAID: text })).toEqual([
      expect.stringMatching(/^CONTEXT\/SAID has ".*", which is to be as \$NIC/),
    ]);
    expect(guestContext({ SAID: text }, facts)).toEqual({ SAID: text });
  });

  it('to an attribute with parts that there is none of is found wrong when it is written, but in programs', () => {
    expect(contextFindings({ SAID: 'to $IMAG[NAME]', START_SCRIPT: 'echo $LIST[A]' })).toEqual([
      expect.stringMatching(/^CONTEXT\/SAID refers to \$IMAG\[…\], and there is no such attribute/),
    ]);
    expect(contextFindings({ SAID: '$GRAPHICS[TYPE]' }, facts.vm.attributes)).toEqual([]);
  });

  it('to all of its template tells that as OpenNebula’s XML, in Base64', () => {
    const told = guestContext({ SAID: '$TEMPLATE' }, facts)?.SAID ?? '';
    expect(Buffer.from(told, 'base64').toString()).toBe(
      '<TEMPLATE><CPU><![CDATA[0.5]]></CPU><GRAPHICS><TYPE><![CDATA[VNC]]></TYPE><KEYMAP><![CDATA[a]]]]><![CDATA[>b]]></KEYMAP></GRAPHICS>' +
        '<DISK><IMAGE><![CDATA[a]]></IMAGE></DISK><DISK><IMAGE><![CDATA[b]]></IMAGE><SIZE><![CDATA[10]]></SIZE></DISK></TEMPLATE>',
    );
  });

  it('has no NUL beside it', () => {
    expect(contextFindings({ SAID: 'a\0b' })).toEqual([
      'CONTEXT/SAID must not contain NUL, which no shell can be told',
    ]);
  });

  it('is to stand in a text', () => {
    expect(contextFindings({ SAID: { A: 'b' }, TOO: ['x'], FINE: 5 })).toEqual([
      'CONTEXT/SAID must be a text or a number',
      'CONTEXT/TOO must be a text or a number',
    ]);
  });
});

describe('what a guest is told', () => {
  it('has of each NIC what guests of OpenNebula know it by, where NETWORK is YES', () => {
    expect(guestContext({ NETWORK: 'YES', HOST: '$NAME' }, facts)).toEqual({
      ...{ HOST: 'web-1', NETWORK: 'YES' },
      ...{ ETH0_IP: '192.0.2.7', ETH0_MAC: '02:00:c0:00:02:07', ETH0_MASK: '255.255.255.0', ETH0_MTU: '1400' },
      ...{ ETH2_IP: '10.0.0.9', ETH2_MAC: '02:00:0a:00:00:09', ETH2_GATEWAY: '10.0.0.1' },
    });
    expect(guestContext({ NETWORK: 'no' }, facts)).toEqual({ NETWORK: 'no' });
    expect(guestContext(undefined, facts)).toEqual({});
  });

  it('is no larger than a guest may be told, however often something is referred to', () => {
    const attributes = { LONG: 'x'.repeat(10_000) };
    const many = { SAID: '$LONG'.repeat(Math.ceil(limits.context.most / 10_000)) };
    expect(guestContext(many, { ...facts, vm: { ...facts.vm, attributes } })).toBeNull();
    expect(guestContext({ SAID: '$LONG' }, { ...facts, vm: { ...facts.vm, attributes } })?.SAID).toHaveLength(10_000);
  });

  it('is read by a shell as it was said, whatever that is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'arcus-context-'));
    const path = join(folder, 'context.sh');
    // A shell knows no NUL.
    const text = fc.string({ unit: 'binary', maxLength: 40 }).map((given) => given.replaceAll('\0', ''));
    const nasty = fc.constantFrom("'", "'\\''", '$(id)', '`id`', '\\', '\n', "\n'", '"', '$CITY', '!!', '\r\n');
    const value = fc.array(fc.oneof(text, nasty), { maxLength: 6 }).map((all) => all.join(''));
    try {
      fc.assert(
        fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
          const variables = Object.fromEntries(values.map((said, at) => [`V${at}`, said]));
          writeFileSync(path, contextScript(variables));
          const names = values.map((_, at) => `"$V${at}"`).join(' ');
          const read = execFileSync('sh', ['-c', `. "$0"; printf '%s\\0' ${names}`, path], { encoding: 'utf8' });
          expect(read.split('\0').slice(0, -1)).toEqual(values);
        }),
        { numRuns: 60 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
