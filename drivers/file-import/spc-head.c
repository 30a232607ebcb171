/* SPDX-License-Identifier: Apache-2.0 */
#include "spc-head.h"

#include <string.h>

#include "bytes.h"

#define NEW_SIZE 512
#define OLD_SIZE 224

/* Codes of axes: of x and of the place in a series. */
static const struct quantity places[] = {
	[0] = {"abscissa", "1"},
	[1] = {"wavenumber", "cm-1"},
	[2] = {"wavelength", "um"},
	[3] = {"wavelength", "nm"},
	[4] = {"time", "s"},
	[5] = {"time", "min"},
	[6] = {"abscissa", "Hz"},
	[7] = {"abscissa", "kHz"},
	[8] = {"abscissa", "MHz"},
	[9] = {"mz", "1"},
	[10] = {"abscissa", "[ppm]"},
	[11] = {"time", "d"},
	[12] = {"time", "a"},
	[13] = {"raman_shift", "cm-1"},
	[14] = {"energy", "eV"},
	[17] = {"channel", "1"},
	[18] = {"abscissa", "deg"},
	[19] = {"abscissa", "[degF]"},
	[20] = {"abscissa", "Cel"},
	[21] = {"abscissa", "K"},
	[23] = {"time", "ms"},
	[25] = {"time", "ns"},
	[27] = {"abscissa", "cm"},
	[28] = {"abscissa", "m"},
	[29] = {"abscissa", "mm"},
	[30] = {"time", "h"},
};

static const struct quantity values[] = {
	[0] = {"ordinate", "1"},
	[1] = {"interferogram", "1"},
	[2] = {"absorbance", "{absorbance}"},
	[3] = {"kubelka_munk", "1"},
	[4] = {"ordinate", "{count}"},
	[5] = {"ordinate", "V"},
	[6] = {"ordinate", "deg"},
	[7] = {"ordinate", "mA"},
	[8] = {"ordinate", "mm"},
	[9] = {"ordinate", "mV"},
	[10] = {"log_inverse_reflectance", "1"},
	[11] = {"ordinate", "%"},
	[12] = {"intensity", "1"},
	[13] = {"intensity", "1"},
	[19] = {"ordinate", "[degF]"},
	[20] = {"ordinate", "Cel"},
	[21] = {"ordinate", "K"},
	[128] = {"transmittance", NULL}, /* the values show if in per cent */
	[129] = {"reflectance", NULL},
	[130] = {"single_beam", "1"},
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

size_t spc_head_size(const uint8_t *bytes)
{
	return bytes[1] == SPC_NEW || bytes[1] == SPC_NEW_BIG_ENDIAN ? NEW_SIZE
	       : bytes[1] == SPC_OLD                                 ? OLD_SIZE
								     : 0;
}

static void read_new(const uint8_t *p, struct spc_head *head)
{
	bool has_own_x = head->flags & SPC_OWN_X;
	uint32_t points = get_le32(p + 4), date = get_le32(p + 32);
	head->exponent = (int8_t)p[3];
	head->points = has_own_x ? 0 : points;
	head->directory = has_own_x ? points : 0;
	head->first = get_le_f64(p + 8);
	head->last = get_le_f64(p + 16);
	head->subfiles = head->flags & SPC_MULTI ? get_le32(p + 24) : 1;
	head->x = p[28];
	head->y = p[29];
	head->z = p[30];
	head->year = date >> 20;
	head->month = date >> 16 & 15;
	head->day = date >> 11 & 31;
	head->hour = date >> 6 & 31;
	head->minute = date & 63;
	head->log = get_le32(p + 248);
	head->data = NEW_SIZE;
	if ((head->flags & (SPC_OWN_X | SPC_X)) == SPC_X)
		head->data += 4 * (uint64_t)head->points;
}

/*
 * The number of points is a float.  Of the year only two digits are in the known files: 92 of 1992.  Nothing
 * counts the subfiles but the size of the file; a rest makes them one more than there are.
 */
static void read_old(const uint8_t *p, uint64_t file_size, struct spc_head *head)
{
	float points = get_le_f32(p + 4);
	unsigned year = get_le16(p + 18) & 0xfff;
	head->exponent = (int16_t)get_le16(p + 2);
	head->points = points >= 1 && points <= NUMBERS_MAX ? (uint32_t)points : 0;
	head->first = (double)get_le_f32(p + 8);
	head->last = (double)get_le_f32(p + 12);
	head->x = p[16];
	head->y = p[17];
	head->z = p[19] >> 4;
	head->year = year > 0 && year < 100 ? 1900 + year : year;
	head->month = p[20];
	head->day = p[21];
	head->hour = p[22];
	head->minute = p[23];
	head->data = OLD_SIZE;
	uint64_t each = SPC_SUBHEAD + 4 * (uint64_t)head->points;
	head->subfiles = file_size > OLD_SIZE ? (file_size - OLD_SIZE + each - 1) / each : 1;
}

void spc_head_read(const uint8_t *bytes, uint64_t file_size, struct spc_head *head)
{
	*head = (struct spc_head){.version = bytes[1], .flags = bytes[0]};
	if (head->version == SPC_OLD)
		read_old(bytes, file_size, head);
	else
		read_new(bytes, head);
}

int spc_subfile_exponent(const struct spc_head *head, const uint8_t *subhead)
{
	return head->flags & SPC_MULTI ? (int8_t)subhead[1] : head->exponent;
}

uint32_t spc_subfile_points(const struct spc_head *head, const uint8_t *subhead)
{
	return head->flags & SPC_OWN_X && head->version != SPC_OLD ? get_le32(subhead + 16)
								   : head->points;
}

unsigned spc_value_size(const struct spc_head *head, int exponent)
{
	bool is_short = head->flags & SPC_16_BIT && head->version != SPC_OLD;
	return is_short && exponent != SPC_FLOAT ? 2 : 4;
}

uint64_t spc_subfile_size(const struct spc_head *head, const uint8_t *subhead)
{
	unsigned each = spc_value_size(head, spc_subfile_exponent(head, subhead));
	each += head->flags & SPC_OWN_X ? 4 : 0;
	return SPC_SUBHEAD + (uint64_t)each * spc_subfile_points(head, subhead);
}

const char *spc_refuses(const struct spc_head *head, const uint8_t *subhead)
{
	if (spc_subfile_points(head, subhead) > NUMBERS_MAX)
		return "a subfile with more points than a frame has";
	if (head->version == SPC_OLD && spc_subfile_exponent(head, subhead) == SPC_FLOAT)
		return "an old file with float values, which no known one has";
	return NULL;
}

void spc_date(const struct spc_head *head, char to[DATE_TEXT])
{
	to[0] = '\0';
	if (head->year >= 1900)
		date_write(to, (int)head->year, (int)head->month, (int)head->day, (int)head->hour,
			(int)head->minute, 0);
}

struct quantity spc_places(const struct spc_head *head)
{
	bool is_known = head->x < COUNT(places) && places[head->x].name != NULL;
	return is_known ? places[head->x] : places[0];
}

const char *spc_series_unit(const struct spc_head *head)
{
	bool is_known = head->z < COUNT(places) && places[head->z].name != NULL;
	return is_known ? places[head->z].unit : places[0].unit;
}

bool spc_is_time(const char *unit)
{
	for (size_t i = 0; i < COUNT(places); i++)
		if (places[i].name != NULL && strcmp(places[i].name, "time") == 0 &&
			strcmp(places[i].unit, unit) == 0)
			return true;
	return false;
}

/* Arbitrary units along m/z are intensities, along a time the signal of a detector. */
struct quantity spc_values(const struct spc_head *head)
{
	bool is_known = head->y < COUNT(values) && values[head->y].name != NULL;
	struct quantity of = is_known ? values[head->y] : values[0];
	const char *along = spc_places(head).name;
	bool is_angle_or_length = head->y == 6 || head->y == 8;
	if (strcmp(of.name, "ordinate") == 0 && strcmp(along, "mz") == 0 && !is_angle_or_length)
		of.name = "intensity";
	if (strcmp(of.name, "ordinate") == 0 && strcmp(along, "time") == 0)
		of.name = "signal";
	return of;
}
