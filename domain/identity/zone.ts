/** The id of the zone that this Arcus is. */
export const localZone = 0;
