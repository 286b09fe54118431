/** Whether the guest has reported that it serves: READY=YES in its user template, in any letter case. */
export const isReady = ({ READY: reported }: Readonly<Record<string, unknown>>): boolean => isYes(reported);

/** Whether somebody has said that it is not to be removed when its role is made smaller: PROTECTED=YES, likewise. */
export const isProtected = ({ PROTECTED: said }: Readonly<Record<string, unknown>>): boolean => isYes(said);

const isYes = (value: unknown): boolean => typeof value === 'string' && value.trim().toUpperCase() === 'YES';
