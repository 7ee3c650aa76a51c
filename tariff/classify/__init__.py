"""What a line is before it is priced: its group, the policies that keep it out of national prices, the rows of the rule
pack that its codes name. One module a kind of activity, one rule a function; the arrays made here go to the kernels."""
