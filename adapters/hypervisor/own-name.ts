/**
 * The name of a domain where several installations may use one hypervisor: VM 12 of each of them is `one-12` to itself, and
 * names on a host are unique.
 */
export const ownName = (domain: string, installation: string): string => `${domain}-${installation.slice(0, 8)}`;
