/* SPDX-License-Identifier: Apache-2.0 */
#include "url.h"

#include <string.h>

void url_split(char *url, struct sim_http_request *request)
{
	char *query = strchr(url, '?');
	request->path = url;
	request->n_arguments = 0;
	if (query == NULL)
		return;
	*query++ = '\0';
	for (char *pair; (pair = strsep(&query, "&")) != NULL &&
			 request->n_arguments < SIM_HTTP_ARGUMENTS_MAX;) {
		char *value = strchr(pair, '=');
		if (value != NULL)
			*value++ = '\0';
		request->arguments[request->n_arguments++] = (struct sim_http_argument){
			pair, value};
	}
}
