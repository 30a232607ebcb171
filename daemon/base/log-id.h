/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of log messages: config/messages.csv.  Any thread. */
#ifndef ASSAY_BASE_LOG_ID_H
#define ASSAY_BASE_LOG_ID_H

/* The id of the message with this format, such as "A201"; NULL: it has none. */
const char *log_id(const char *format);

#endif
