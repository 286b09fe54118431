/** Programs of the system that turn hosts off by IPMI, each with the package of Debian that has it. */
export const ipmiPrograms = { ipmitool: 'ipmitool' } as const;
