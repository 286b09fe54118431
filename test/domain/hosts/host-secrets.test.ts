import { describe, expect, it } from 'vitest';
import { attributeOf, isPublic, toldNames } from '../../../domain/hosts/host-attributes.js';
import { isSecret } from '../../../domain/hosts/host-secrets.js';
import { explainPlacement, type HostSnapshot, planPlacement } from '../../../domain/placement/placement.js';
import { recordFor } from '../../../domain/placement/placement-demands.js';

const host: HostSnapshot = {
  ...{ id: 3, name: 'node-3', state: 'MONITORED', vms: 1, vm_mad: 'simulated', cluster: { id: 7, name: 'inner' } },
  ...{ free: { cpu: 800, memory: 8192 }, total: { cpu: 800, memory: 8192 } },
  attributes: {
    BMC_PASSWORD: 'hunter2',
    BMC_PIN: 4711,
    RACK: 'r2',
    SLOT: 17,
    LISTED: 'x9',
    SECRET_ATTRIBUTES: 'listed, Other',
  },
};
const wish = (requirements: string, rank?: string) => ({ vm: 1, capacity: { cpu: 1, memory: 1 }, requirements, rank });
const reasons = (requirements: string) => {
  const written = planPlacement([host], [wish(requirements)]).unplaced[0]?.reason;
  const read = (sees: boolean) => explainPlacement([host], wish(requirements), {}, () => sees).refused[0]?.reason;
  return { written, read: read(false), seen: read(true) };
};

describe('a secret attribute', () => {
  it('is one that is named like a secret, or is listed', () => {
    for (const name of [
      'BMC_PASSWORD',
      'IPMIPASSWORD',
      'API_KEY',
      'SNMP_COMMUNITY',
      'X/TOKEN',
      'DB-PASS',
      'CLIENTSECRET',
    ])
      expect(isSecret(name), name).toBe(true);
    for (const name of ['RACK', 'MONKEY', 'COMPASS', 'KEYBOARD', 'PINNED', 'SSD', ...toldNames])
      expect(isSecret(name), name).toBe(false);
    expect(isSecret('LISTED', { SECRET_ATTRIBUTES: ['other', 'LISTED'] })).toBe(true);
  });

  it('is to no expression, whoever reads the answer: by name, by pattern, by comparison, under another path, by rank', () => {
    for (const ask of [
      'BMC_PASSWORD = "hunter2"',
      'BMC_PASSWORD = "h*"',
      '!(BMC_PASSWORD = "a*")',
      'BMC_PIN > 1',
      'BMC_PIN != 1',
      '"TEMPLATE/bmc_password" = "*"',
      'LISTED = "x9"',
    ]) {
      const { written, read, seen } = reasons(ask);
      for (const text of [read, seen]) expect(text).toMatch(/^has no attribute [A-Za-z_"/]+$/);
      expect(written).toMatch(/host 3 has no attribute [A-Za-z_"/]+$/);
    }
    expect(attributeOf(host, 'BMC_PIN')).toBeUndefined();
    expect(planPlacement([host], [wish('', 'BMC_PIN + 1')]).placed[0]?.record.rank).toBe(1);
  });
});

describe('the value of another', () => {
  it('is told who has USE on the host, and written down nowhere', () => {
    const { written, read, seen } = reasons('RACK = "r1"');
    expect(written).toBe('the one enabled host will not do: host 3: RACK = "r1" is false');
    expect(read).toBe('RACK = "r1" is false');
    expect(seen).toBe('RACK = "r1" is false (it is r2)');
    expect(reasons('CLUSTER = "outer"').read).toBe('CLUSTER = "outer" is false');
    expect(reasons('NAME = "node-1"').written).not.toContain('node-3');
  });

  it('is told to everybody where Arcus says it, but for names', () => {
    expect(reasons('CLUSTER_ID = 1').written).toContain('CLUSTER_ID = 1 is false (it is 7)');
    expect(reasons('FREE_CPU > 900').read).toBe('FREE_CPU > 900 is false (it is 800)');
    expect(toldNames.filter((name) => !isPublic(name))).toEqual(['NAME', 'HOSTNAME', 'CLUSTER']);
  });

  it('is told by no rank, unless one sees the host', () => {
    const record = (rank?: string, policy: 'stripe' | 'fixed' = 'stripe') => {
      const [placed] = planPlacement([host, { ...host, id: 4 }], [wish('', rank)], { policy }).placed;
      if (!placed) throw new Error('no place');
      return placed.record;
    };
    const blind = recordFor(record('SLOT'), 3, () => false);
    expect(blind).toMatchObject({ rank: null, others: [] });
    expect(recordFor(record('SLOT'), 3, () => true)).toMatchObject({ rank: 17, others: [{ host: 4, rank: 17 }] });
    expect(recordFor(record('', 'fixed'), 3, () => false).rank).toBeNull();
    for (const open of ['', 'FREE_CPU - RUNNING_VMS'])
      expect(recordFor(record(open), 3, () => false)).toEqual(record(open));
  });
});
