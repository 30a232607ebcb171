/* SPDX-License-Identifier: Apache-2.0 */
/* Filament, multiplier and degassing: they take time, can fail, and trip on over-pressure. */
#include "rga.h"

#define NS_PER_S        1e9
#define PRESSURE_LIMIT  1e-4 /* Torr */
#define FILAMENT_ON_S   3.0
#define FILAMENT_MOVE_S 0.5
#define FILAMENT_OFF_S  0.1
#define CDEM_S          1.5
#define SELF_CHECK_S    0.3
#define MV_USUAL        1400
#define EMISSION_USUAL  1.0 /* mA */

static struct rga_settings defaults(const struct rga *rga)
{
	return (struct rga_settings){
		.electron_energy = 70,
		.ion_energy = 1,
		.focus = 90,
		.noise_floor = 4,
		.mass_first = 1,
		.mass_last = rga->plan.mass_max,
		.points = 10,
		.total_pressure = true,
	};
}

void rga_power_up(struct rga *rga)
{
	rga->set = defaults(rga);
	rga->eeprom = (struct rga_eeprom){
		.sp = 0.1, .st = 0.01, .mg = 1, .mv = MV_USUAL, .rs = 1000, .di = 115};
	rga->errors = (struct rga_errors){.cdem = rga->plan.has_cdem ? 0 : RGA_NO_CDEM};
	if (rga->plan.filaments < 2)
		rga->errors.filament = rga->plan.filaments == 1 ? RGA_ONE_FILAMENT
								: RGA_NO_FILAMENT;
}

static void busy(struct rga *rga, enum rga_activity activity, double seconds)
{
	rga->activity = activity;
	rga->due = rga->now + (uint64_t)(seconds * NS_PER_S);
}

void rga_settle(struct rga *rga, double seconds)
{
	rga->emission_next = 0;
	busy(rga, RGA_SETTLES, seconds);
}

void rga_watch_pressure(struct rga *rga)
{
	double seconds = (double)rga->now / NS_PER_S;
	if (rga->plan.is_fixed)
		rga->chamber.time = seconds;
	else
		chamber_advance(&rga->chamber, seconds, sim_random_of(rga->m));
	if (rga->set.emission == 0 || chamber_pressure(&rga->chamber) < PRESSURE_LIMIT)
		return;
	rga->set.emission = 0;
	rga->set.cdem = 0;
	rga->errors.filament |= RGA_OVER_PRESSURE;
	sim_truth(rga->m, "tripped", ",\"pressure\":%.6g", chamber_pressure(&rga->chamber));
}

void rga_set_emission(struct rga *rga, double milliampere)
{
	bool was_off = rga->set.emission == 0;
	rga_settle(rga, milliampere == 0 ? FILAMENT_OFF_S
			: was_off        ? FILAMENT_ON_S
					 : FILAMENT_MOVE_S);
	rga->emission_next = milliampere;
	if (milliampere == 0)
		rga->set.emission = 0;
}

void rga_set_cdem(struct rga *rga, int volts)
{
	if (volts > 0 && !rga->plan.has_cdem) {
		rga->errors.cdem |= RGA_NO_CDEM;
		volts = 0;
	}
	rga->set.cdem = volts;
	rga->set.total_pressure = volts == 0;
	rga_settle(rga, volts > 0 ? CDEM_S : FILAMENT_OFF_S);
}

void rga_degas(struct rga *rga, double minutes)
{
	rga->emission_next = 0;
	busy(rga, RGA_DEGASSES, minutes * 60);
}

void rga_initialise(struct rga *rga, int level)
{
	rga->errors.rs232 = 0;
	rga->errors.cdem = rga->plan.has_cdem ? 0 : RGA_NO_CDEM;
	if (level >= 1) {
		const struct rga_settings before = rga->set;
		rga->set = defaults(rga);
		if (level == 1) {
			rga->set.emission = before.emission;
			rga->set.cdem = before.cdem;
			rga->set.total_pressure = before.cdem == 0;
		}
	}
	if (level == 1)
		rga_set_emission(rga, EMISSION_USUAL);
	else
		rga_settle(rga, SELF_CHECK_S);
}

/* There is no emission without a filament, nor at over-pressure. */
static void light_filament(struct rga *rga, double milliampere)
{
	if (rga->plan.filaments == 0) {
		rga->errors.filament |= RGA_NO_FILAMENT;
		return;
	}
	if (chamber_pressure(&rga->chamber) >= PRESSURE_LIMIT) {
		rga->errors.filament |= RGA_OVER_PRESSURE;
		rga->set.emission = 0;
		return;
	}
	rga->set.emission = milliampere;
	rga->errors.filament = rga->plan.filaments == 1 ? RGA_ONE_FILAMENT : 0;
}

void rga_settled(struct rga *rga)
{
	rga->activity = RGA_IDLE;
	rga_watch_pressure(rga);
	if (rga->emission_next > 0)
		light_filament(rga, rga->emission_next);
	sim_truth(rga->m, "settled", ",\"emission\":%.4f,\"cdem\":%d,\"status\":%u",
		rga->set.emission, rga->set.cdem, rga_status(rga));
	rga_reply(rga, "%u", rga_status(rga));
}
