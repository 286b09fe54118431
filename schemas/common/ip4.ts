import { z } from 'zod';

export const Ip4 = z.ipv4('must be an IPv4 address, such as 192.168.0.10');
