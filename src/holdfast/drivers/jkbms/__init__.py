"""JK (Jikong) BMS: batteries on one RS485 bus, heard in passing or asked, and single batteries over Bluetooth LE."""
