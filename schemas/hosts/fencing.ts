import { z } from 'zod';
import type { Sealed } from '../common/sealed.js';
import { LibvirtUri } from './libvirt.js';

/** A program of the directory for fencing: a plain name, so that nobody names anything else on a worker by it. */
const ProgramName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'is the name of a program of ARCUS_FENCING_DIRECTORY: letters, digits, - and _',
  );
const Argument = z
  .string()
  .max(256)
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters');
const Timeout = z.int().min(1).max(600).default(60).describe('Seconds after which it has failed');

const Command = z
  .strictObject({
    kind: z.literal('command'),
    program: ProgramName,
    arguments: z
      .array(Argument)
      .max(16)
      .default([])
      .describe('After them come off, on or status, and the name of the host'),
    timeout: Timeout,
  })
  .describe(
    'A program on the workers. It ends with 0 only when the host is off, or on, as it was asked; asked for its status it writes on or off',
  );

const Manual = z
  .strictObject({ kind: z.literal('manual') })
  .describe('A person turns it off, and says so: POST /hosts/{id}/fenced');

/** One of a BMC: what may stand in a header, or in an environment. */
const User = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[!-9;-~]+$/, 'must be ASCII without blanks or a colon');
const Password = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[ -~]+$/, 'must be ASCII');
const kept = 'Kept sealed, and never shown; absent: that which is kept for this user at this address';

/** Of a service of Redfish: without a user, for that has a place of its own. */
const RedfishAddress = z
  .string()
  .regex(/^https?:\/\/[^\s/?#@]{1,253}$/, 'must be an https or http address without a user or a path');
const SystemPath = z
  .string()
  .max(256)
  .regex(
    /^(\/redfish\/v1\/)?[A-Za-z0-9._~:-]+(\/[A-Za-z0-9._~:-]+)*$/,
    'must be the id of a system, or its path: /redfish/v1/Systems/1',
  );
const Certificate = z
  .string()
  .max(32_768)
  .regex(/^\s*-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s-]+$/, 'must be a certificate in PEM');

const RedfishPlace = {
  kind: z.literal('redfish'),
  address: RedfishAddress.describe(
    'https://bmc-1.example.org; by http everybody between here and there sees the password',
  ),
  system: SystemPath.optional().describe('Which of its systems the host is, by id or path; absent: the only one'),
  user: User(64),
  certificate: Certificate.optional().describe(
    'That of the BMC itself, whatever name stands in it, or of who vouches for it; absent: the usual authorities do',
  ),
  timeout: Timeout,
};
const Redfish = z
  .strictObject({ ...RedfishPlace, password: Password(256).optional().describe(kept) })
  .describe('The BMC of the host, by DMTF Redfish: a reset of the kind ForceOff');

const IpmiPlace = {
  kind: z.literal('ipmi'),
  address: z
    .string()
    .regex(/^([A-Za-z0-9][A-Za-z0-9.-]{0,252}|[0-9a-fA-F:][0-9a-fA-F:.]{1,44})$/, 'must be a name or an address'),
  port: z.int().min(1).max(65_535).default(623),
  user: User(16),
  timeout: Timeout,
};
const Ipmi = z
  .strictObject({ ...IpmiPlace, password: Password(20).optional().describe(kept) })
  .describe('The BMC of the host, by IPMI 2.0 over the network (lanplus); ipmitool is needed where workers run');

const Libvirt = z
  .strictObject({
    kind: z.literal('libvirt'),
    uri: LibvirtUri,
    domain: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,127}$/, 'must be the name of a domain')
      .describe('The domain that the host is, which has to be defined there'),
    timeout: Timeout,
  })
  .describe('The host is a domain of another libvirt, which destroys it');

/** A way in which a host is turned off, or known to be off. */
export const FencingMethod = z.discriminatedUnion('kind', [Command, Redfish, Ipmi, Libvirt, Manual]);
export type FencingMethod = z.infer<typeof FencingMethod>;

/** The same as it is shown: without what opens a BMC. */
export const ShownMethod = z.discriminatedUnion('kind', [
  Command,
  z.object(RedfishPlace).describe(Redfish.description ?? ''),
  z.object(IpmiPlace).describe(Ipmi.description ?? ''),
  Libvirt,
  Manual,
]);
export type ShownMethod = z.infer<typeof ShownMethod>;

type Stored<M> = M extends unknown
  ? 'password' extends keyof M
    ? Omit<M, 'password'> & { password: Sealed }
    : M
  : never;
/** The same as it is stored. */
export type StoredMethod = Stored<FencingMethod>;

/** Of all hosts of a cluster: a BMC, and a domain, is that of one. */
export const ClusterMethods = z
  .array(z.discriminatedUnion('kind', [Command, Manual]))
  .min(1)
  .max(4);

/** Methods, one after the other until one succeeds. */
export const FencingMethods = z.array(FencingMethod).min(1).max(4);
export const ShownMethods = z.array(ShownMethod);
